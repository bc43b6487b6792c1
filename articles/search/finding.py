"""From what a person typed to the articles that have it: in the title first, then newest first.

How long that takes must not depend on how many articles there are, neither for a word that is nowhere nor for one that
is everywhere. So time is cut into spans, the newest ones short. A word that is everywhere fills the answer from the
newest span and the others are never looked at; one that is rare costs the index next to nothing in each.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, TypeVar

from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.db.models.expressions import RawSQL

from articles.search.documents import month
from articles.search.index import Index, Window
from articles.search.postgres import PostgresIndex
from articles.search.query import Query, parse
from articles.search.sqlite import SqliteIndex

logger = logging.getLogger(__name__)

# So many articles are found at most in titles, and so many in texts: twenty pages that nobody turns to the end. Fewer
# where words must stand side by side: each article that has them all must be read for that.
MOST = 500
MOST_WITH_PHRASE = 100
# Up to so many candidates of a span are compared with the queryset's own filters one by one.
MOST_COMPARED = 5_000
# The spans, in months, the newest first; the last one holds all the rest.
SPANS = (1, 3, 12, 48)

Rows = TypeVar("Rows", bound=QuerySet[Any])


def index_of(connection: BaseDatabaseWrapper) -> Index:
    """The index that lies in a database."""
    return PostgresIndex(connection) if connection.vendor == "postgresql" else SqliteIndex(connection)


def found(articles: Rows, text: str) -> Rows:
    """Those of the articles that match, in order: the story of `Article.objects.search`."""
    query = parse(text)
    if not query:
        return articles.none()
    search = _Search(articles, query)
    titles = search.collect(in_title=True) if query.wanted else []
    texts = search.collect(in_title=False)
    matching = articles.filter(pk__in={*titles, *texts})
    if not titles:
        return matching.order_by("-published_at", "-pk")
    is_in_title = Case(When(pk__in=titles, then=Value(1)), default=Value(0), output_field=IntegerField())
    return matching.order_by(is_in_title.desc(), "-published_at", "-pk")


class _Search:
    """One search among these articles."""

    def __init__(self, articles: QuerySet[Any], query: Query) -> None:
        self.articles, self.query = articles, query
        self.index = index_of(connections[articles.db])
        self.windows = list(_windows(articles))
        self.most = MOST_WITH_PHRASE if any(len(phrase) > 1 for phrase in query.wanted) else MOST

    def collect(self, *, in_title: bool) -> list[int]:
        """The newest of the articles that match, at most `most`; fewer if the database needs too long."""
        collected = list[int]()
        try:
            with self.index.hurried():
                for window in self.windows:
                    collected += self._in(window, self.most - len(collected), in_title=in_title)
                    if len(collected) >= self.most:
                        break
        except OperationalError as error:
            logger.warning("a search ended early: %s", error)
        return collected

    def _in(self, window: Window, most: int, *, in_title: bool) -> list[int]:
        if not self.articles.query.where:
            return self.index.newest(self.query, window, in_title=in_title, most=most)
        candidates = self.index.newest(self.query, window, in_title=in_title, most=MOST_COMPARED + 1)
        if not candidates:
            return []
        matching = self.articles.filter(pk__in=candidates)
        if len(candidates) > MOST_COMPARED:
            matching = self.articles.filter(
                pk__in=RawSQL(*self.index.matching(self.query, window, in_title=in_title))  # noqa: S611  ours
            )
        return list(matching.order_by("-published_at", "-pk").values_list("pk", flat=True)[:most])


def _windows(articles: QuerySet[Any]) -> Iterator[Window]:
    """Spans of time from the newest article back, one after the other and without a gap."""
    newest = articles.model._default_manager.using(articles.db).order_by("-published_at", "-pk")
    moment = newest.values_list("published_at", flat=True).first()
    if moment is None:
        return
    end = month(moment) + 1
    for span in SPANS:
        yield Window(end - span, end)
        end -= span
    yield Window(None, end)
