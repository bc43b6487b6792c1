"""What was searched for, marked where it stands: as HTML in which everything but our own marks is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from articles.search.query import Query
from articles.search.words import words

# Characters of a snippet, and how much of them stands before the first hit.
SNIPPET = 260
BEFORE = 80
# A hit deeper in the text than this is not shown.
LOOKED_AT = 20_000

Place = tuple[int, int]


def hits(text: str, query: Query) -> Iterator[Place]:
    """Where the words that were searched for stand, in their order; the text is read as far as they are asked for."""
    stems = {stem for phrase in query.wanted for word in phrase for stem in word}
    # Russian prefixes aside, a word begins as its stem does: most words need not be taken apart.
    if letters := tuple(sorted({stem[:1] for stem in stems})):
        yield from ((word.start, word.end) for word in words(text[:LOOKED_AT], letters) if word.stem in stems)


def marked(text: str, query: Query) -> SafeString:
    """The whole text with its hits marked."""
    return _marked(text, hits(text, query), 0, len(text))


def snippet(texts: list[str], query: Query) -> SafeString:
    """The surroundings of the first hit in the first of the texts that has one; else the beginning of the first."""
    for text in texts:
        places = hits(text, query)
        if hit := next(places, None):
            return _marked(text, chain([hit], places), *_cut(text, hit[0]))
    first = next((text for text in texts if text), "")
    return _marked(first, [], *_cut(first, 0))


def _cut(text: str, hit: int) -> tuple[int, int]:
    """A piece of the text around a hit, between words."""
    start = max(hit - BEFORE, 0)
    start = start if start == 0 else text.find(" ", start, hit) + 1 or start
    end = min(start + SNIPPET, len(text))
    return start, end if end == len(text) else max(text.rfind(" ", hit, end), start + 1)


def _marked(text: str, places: Iterable[Place], start: int, end: int) -> SafeString:
    pieces, at = list[tuple[SafeString]](), start
    for first, last in places:
        if last > end:
            break
        pieces.append((format_html('{}<mark class="wp-hit">{}</mark>', text[at:first], text[first:last]),))
        at = last
    inside = format_html_join("", "{}", pieces)
    return format_html("{}{}{}{}", "… " if start else "", inside, text[at:end], " …" if end < len(text) else "")
