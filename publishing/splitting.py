"""A text cut into messages: at paragraphs, then at sentences, then at words, and never inside what belongs together.

Telegram counts a message's length in code points on the server and in UTF-16 units in its apps. A text has never
more code points than units, so units are the limit here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import regex
from razdel import sentenize

MAX_UNITS = 4096
MAX_CAPTION_UNITS = 1024
MAX_ENTITIES = 100

# What Telegram drops from a text or shows as a space, and what turns the direction of everything after it:
# C0 and C1 controls, lone surrogates, U+202A to U+202E, the byte order mark, and three marks above or below a letter
# that may cover the neighbouring lines (https://github.com/tdlib/td, clean_input_string).
_UNWANTED = regex.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\ufeff\u030a\u0333\u033f]")
_LINE_ENDS = regex.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
_SPACES_AT_LINE_ENDS = regex.compile(r"[^\S\n]+$", regex.MULTILINE)
_EMPTY_LINES = regex.compile(r"\n{3,}")

_EMPTY_LINE = regex.compile(r"\n\n+")
_LINE_END = regex.compile(r"\n+")
# A mark that combines with a space, or a joiner after it, stays with the space.
_WHITE_SPACE = regex.compile(r"\s++(?![\p{M}\u200d])")
_GRAPHEME = regex.compile(r"\X")

# Telegram refuses a message in which there is nothing else than white space and characters without a shape.
_VISIBLE = regex.compile(r"[^\s\p{C}\p{Z}\p{Mn}\u115f\u1160\u2800\u3164\uffa0\ufffc]")


@dataclass(frozen=True)
class Mark:
    """A formatted stretch of a text, in code points."""

    start: int
    end: int
    kind: str
    url: str = ""


@dataclass(frozen=True)
class Piece:
    """What fits into one message; `marks` count from its own beginning."""

    text: str
    marks: tuple[Mark, ...]


def units(text: str) -> int:
    """The length in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def is_visible(text: str) -> bool:
    """Whether there is anything to read in the text."""
    return _VISIBLE.search(text) is not None


def without_unwanted(text: str) -> str:
    """The text without what Telegram would drop, and with spaces for tabs; white space stays."""
    kept: str = _UNWANTED.sub("", text.replace("\t", " "))
    return kept


def clean(text: str) -> str:
    """The text without what doesn't belong in a post, with plain newlines, at most one empty line in a row."""
    text = unicodedata.normalize("NFC", _LINE_ENDS.sub("\n", text))
    text = _SPACES_AT_LINE_ENDS.sub("", without_unwanted(text))
    cleaned: str = _EMPTY_LINES.sub("\n\n", text)
    return cleaned.strip()


def split(text: str, marks: Sequence[Mark] = (), limit: int = MAX_UNITS) -> Iterator[Piece]:
    """The text in pieces of at most `limit` UTF-16 units, without the white space between them.

    A paragraph, sentence or word that fits into a message is never cut; neither is a mark.
    """
    start = 0
    while start < len(text):
        end = _cut(text, start, marks, limit)
        piece = text[start:end]
        left = len(piece) - len(piece.lstrip())
        if is_visible(piece):
            yield Piece(piece.strip(), tuple(_inside(marks, start + left, start + len(piece.rstrip()))))
        start = end


def _inside(marks: Iterable[Mark], start: int, end: int) -> Iterator[Mark]:
    for mark in marks:
        first, last = max(mark.start, start), min(mark.end, end)
        if first < last:
            yield replace(mark, start=first - start, end=last - start)


def _cut(text: str, start: int, marks: Sequence[Mark], limit: int) -> int:
    """Where the message that begins at `start` ends: at the coarsest boundary that spares what comes after it."""
    end = _reach(text, start, limit)
    begun = [mark for mark in marks if mark.start >= start]
    if len(begun) > MAX_ENTITIES:
        end = min(end, begun[MAX_ENTITIES].start)
    if end == len(text):
        return end
    whole = [mark for mark in marks if units(text[mark.start : mark.end]) <= limit]
    for boundaries in (_paragraphs, _lines, _sentences, _words):
        last, following = _last_boundary(boundaries(text, start), text, end, whole)
        if last > start and units(text[last:following]) <= limit:
            return last
    return _inside_a_word(text, start, end, whole)


def _reach(text: str, start: int, limit: int) -> int:
    """The end of the longest stretch from `start` that has at most `limit` units."""
    end = min(len(text), start + limit)
    while (excess := units(text[start:end]) - limit) > 0:
        end -= (excess + 1) // 2
    return end


# --- boundaries: where one thing ends and the next one begins -----------------------------------------------------


def _paragraphs(text: str, start: int) -> Iterator[tuple[int, int]]:
    return (match.span() for match in _EMPTY_LINE.finditer(text, start))


def _lines(text: str, start: int) -> Iterator[tuple[int, int]]:
    return (match.span() for match in _LINE_END.finditer(text, start))


def _words(text: str, start: int) -> Iterator[tuple[int, int]]:
    return (match.span() for match in _WHITE_SPACE.finditer(text, start))


def _sentences(text: str, start: int) -> Iterator[tuple[int, int]]:
    # Two messages ahead are enough to know whether the next sentence fits into one.
    sentences = sentenize(text[start : start + 3 * MAX_UNITS])
    return ((start + one.stop, start + other.start) for one, other in pairwise(sentences))


def _last_boundary(
    boundaries: Iterable[tuple[int, int]], text: str, end: int, whole: Sequence[Mark]
) -> tuple[int, int]:
    """Where the last thing that begins at or before `end` begins, and where it ends; (0, 0) if there is none."""
    last = 0
    for stop, begin in boundaries:
        if stop > end:
            return last, stop
        if not _cuts(begin, whole):
            last = begin
    return last, len(text)


def _cuts(position: int, whole: Sequence[Mark]) -> bool:
    return any(mark.start < position < mark.end for mark in whole)


def _inside_a_word(text: str, start: int, end: int, whole: Sequence[Mark]) -> int:
    """The end of the last character, with all that combines with it, of a word that is too long for a message."""
    last = start
    for match in _GRAPHEME.finditer(text, start):
        if match.end() > end:
            break
        if not _cuts(match.end(), whole):
            last = match.end()
    return last if last > start else end
