"""What changed between two texts, word by word. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WORDS = re.compile(r"\s+|\w+|[^\w\s]")
# Comparing takes the product of both lengths at worst.
LONGEST = 40_000  # characters


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of text that stayed (""), was taken away ("del") or was added ("ins")."""

    kind: str
    text: str


def changes(before: str, after: str) -> Iterator[Change]:
    """The way from one text to the other: without what was added it is the first, without what went the second."""
    old, new = WORDS.findall(before[:LONGEST]), WORDS.findall(after[:LONGEST])
    for verb, start, end, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if verb == "equal":
            yield Change("", "".join(old[start:end]))
            continue
        if start < end:
            yield Change("del", "".join(old[start:end]))
        if first < last:
            yield Change("ins", "".join(new[first:last]))


def marked(before: str, after: str) -> SafeString:
    """The changes as HTML: `<del>` and `<ins>` around escaped words."""
    return format_html_join("", "{}", ((_piece(change),) for change in changes(before, after)))


def _piece(change: Change) -> SafeString:
    if change.kind == "del":
        return format_html("<del>{}</del>", change.text)
    return format_html("<ins>{}</ins>" if change.kind else "{}", change.text)
