"""Two texts word by word: what only one of them says. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

WORDS = re.compile(r"\S+")
AROUND = re.compile(r"^\W+|\W+$")
# Longer texts are compared up to here: the work grows with the square of it.
MOST_WORDS = 1_500


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, and whether the other text lacks it."""

    text: str
    is_different: bool


def differences(one: str, other: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces. Case, ё and punctuation make no difference; what is beyond the bound is not marked."""
    ones, others = list(WORDS.finditer(one))[:MOST_WORDS], list(WORDS.finditer(other))[:MOST_WORDS]
    matcher = SequenceMatcher(None, [*map(_bare, ones)], [*map(_bare, others)], autojunk=False)
    changes = [opcode for opcode in matcher.get_opcodes() if opcode[0] != "equal"]
    return (
        list(_pieces(one, ones, [(start, end) for _tag, start, end, _from, _to in changes])),
        list(_pieces(other, others, [(start, end) for _tag, _from, _to, start, end in changes])),
    )


def _bare(word: re.Match[str]) -> str:
    return AROUND.sub("", word.group()).casefold().replace("ё", "е")


def _pieces(text: str, words: Sequence[re.Match[str]], changes: Sequence[tuple[int, int]]) -> Iterator[Piece]:
    place = 0
    for first, end in changes:
        if first == end:
            continue
        start, stop = words[first].start(), words[end - 1].end()
        if place < start:
            yield Piece(text[place:start], False)
        yield Piece(text[start:stop], True)
        place = stop
    if place < len(text):
        yield Piece(text[place:], False)
