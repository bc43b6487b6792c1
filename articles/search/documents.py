"""An article as the index holds it. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from articles.search.words import stems

MOST_TITLE_WORDS = 200
# News tells what matters at the beginning; and PostgreSQL's tsvector holds a megabyte, and places up to 16383.
MOST_WORDS = 10_000
# Spans of time and their months; each lies within the next.
SPANS = {"m": 1, "q": 3, "y": 12, "f": 48}


@dataclass(frozen=True)
class Document:
    """The stems of one article's title and of the rest of its text, in their order."""

    article_id: int
    published_at: datetime
    title: tuple[str, ...]
    body: tuple[str, ...]

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


def document(article_id: int, published_at: datetime, title: str, *texts: str) -> Document:
    """The document of an article. A text that stands in a longer one, as a lead often does, counts once."""
    apart = [text for text in texts if text and not any(text is not other and text in other for other in texts)]
    body = list[str]()
    for text in dict.fromkeys(apart):
        body += stems(text, MOST_WORDS - len(body))
    return Document(article_id, published_at, tuple(stems(title, MOST_TITLE_WORDS)), tuple(body))


def spans(moment: datetime) -> tuple[str, ...]:
    """The month, the quarter, the year and the four years that a moment lies in, by UTC: the index knows them all."""
    month = moment.year * 12 + moment.month - 1
    return tuple(f"{name}{month // months}" for name, months in SPANS.items())


def _positions(words: tuple[str, ...], first: int) -> dict[str, list[int]]:
    places = defaultdict[str, list[int]](list)
    for place, stem in enumerate(words, start=first):
        places[stem].append(place)
    return dict(places)
