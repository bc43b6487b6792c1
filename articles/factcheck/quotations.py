"""Quotations: each must stand in the source word by word, whatever its punctuation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from articles.factcheck.words import WORD, keys

# In a plain text all quotes are alike.
QUOTED = re.compile(r'"([^"\n]{2,600})"')
# Up to here it is a name, whose words may be inflected.
LONGEST_NAME = 2
LETTERS = re.compile(r"[^\W_]+")
PIECES = re.compile(r"<?\.\.\.>?|…|\[[^\]]*\]")


@dataclass(frozen=True, slots=True)
class Quotation:
    start: int
    end: int


def unsupported(summary: str, source: str) -> Iterator[Quotation]:
    """The quotations of a plain summary that its plain source lacks."""
    said = _flat(source)
    known = frozenset(key for match in WORD.finditer(source) for key in keys(match.group()))
    for match in QUOTED.finditer(summary):
        words = WORD.findall(match[1])
        if len(words) <= LONGEST_NAME:
            is_known = all(keys(word) & known for word in words)
        else:
            is_known = all(_flat(piece) in said for piece in PIECES.split(match[1]))
        if not is_known:
            yield Quotation(match.start(), match.end())


def _flat(text: str) -> str:
    """The words and numbers alone, in lower case, with a space around each."""
    words = " ".join(LETTERS.findall(text.lower()))
    return f" {words} "
