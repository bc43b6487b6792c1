"""An article as the index holds it. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from zlib import crc32

from articles.search.words import stems

MOST_TITLE_WORDS = 200
# News tells what matters at the beginning; and PostgreSQL's tsvector holds a megabyte, and places up to 16383.
MOST_WORDS = 10_000
# Spans of time and their months; each lies within the next.
SPANS = {"m": 1, "q": 3, "y": 12, "f": 48}
# Two words side by side are known by one of so many numbers: few enough that all of them stay small in an index, and
# many enough that a text has few of them by chance.
PAIRS = 4096


@dataclass(frozen=True)
class Document:
    """The stems of one article's title and of the rest of its text, in their order."""

    article_id: int
    published_at: datetime
    title: tuple[str, ...]
    body: tuple[str, ...]
    source_id: int

    @property
    def marks(self) -> tuple[str, ...]:
        """What is known of the article beside its words: the spans of time that it lies in, and its source."""
        return (*spans(self.published_at), of_source(self.source_id))

    @property
    def pairs(self) -> set[int]:
        """The numbers of all that stands side by side in the title or in the body."""
        return {pair(*two) for text in (self.title, self.body) for two in pairwise(text)}

    @cached_property
    def title_positions(self) -> dict[str, list[int]]:
        return _positions(self.title, 1)

    @cached_property
    def positions(self) -> dict[str, list[int]]:
        """Where each stem stands in title and body; no phrase reaches from one into the other."""
        together = _positions(self.title, 1)
        for stem, places in _positions(self.body, MOST_TITLE_WORDS + 2).items():
            together.setdefault(stem, []).extend(places)
        return together


def document(article_id: int, published_at: datetime, source_id: int, title: str, *texts: str) -> Document:
    """The document of an article. A text that stands in a longer one, as a lead often does, counts once."""
    apart = [text for text in texts if text and not any(text is not other and text in other for other in texts)]
    body = list[str]()
    for text in dict.fromkeys(apart):
        body += stems(text, MOST_WORDS - len(body))
    return Document(article_id, published_at, tuple(stems(title, MOST_TITLE_WORDS)), tuple(body), source_id)


def spans(moment: datetime) -> tuple[str, ...]:
    """The month, the quarter, the year and the four years that a moment lies in, by UTC: the index knows them all."""
    month = moment.year * 12 + moment.month - 1
    return tuple(f"{name}{month // months}" for name, months in SPANS.items())


def of_source(source_id: int) -> str:
    """The mark of all articles of a source."""
    return f"s{source_id}"


def pair(one: str, other: str) -> int:
    """The number of two stems side by side; others may have the same."""
    return crc32(f"{one} {other}".encode()) % PAIRS


def _positions(words: tuple[str, ...], first: int) -> dict[str, list[int]]:
    places = defaultdict[str, list[int]](list)
    for place, stem in enumerate(words, start=first):
        places[stem].append(place)
    return dict(places)
