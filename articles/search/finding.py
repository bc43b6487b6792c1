"""From what a person typed to the articles that have it: in the title first, then newest first.

How long that takes must not depend on how many articles there are, neither for a word that is nowhere nor for one that
is everywhere. So the newest month is searched first. What it holds tells how frequent the words are, and therefore how
much of the past has to be searched to fill the answer: a quarter, a year, four, or, for a rare word, all of it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.db.models.expressions import Col, RawSQL
from django.db.models.lookups import Exact
from django.db.models.sql.where import AND

from articles.search.documents import SPANS, of_source, spans
from articles.search.index import Index, Marks
from articles.search.postgres import PostgresIndex
from articles.search.query import Query, parse
from articles.search.sqlite import SqliteIndex

logger = logging.getLogger(__name__)

# So many articles are found at most in titles, and so many in texts: twenty pages that nobody turns to the end. Fewer
# where words must stand side by side: each article that has them all must be read for that.
MOST = 500
MOST_WITH_PHRASE = 100
# No search goes further than so many spans at once: a month without a match says little of twenty years.
FURTHEST = 2
# Up to so many candidates of a span are compared with the queryset's own filters one by one.
MOST_COMPARED = 5_000

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
    if not (numbers := {*titles, *texts}):
        return articles.none()
    matching = articles.filter(pk__in=_written(numbers))
    if not titles:
        return matching.order_by("-published_at", "-pk")
    is_in_title = Case(When(pk__in=_written(titles), then=Value(1)), default=Value(0), output_field=IntegerField())
    return matching.order_by(is_in_title.desc(), "-published_at", "-pk")


class _Search:
    """One search among these articles."""

    def __init__(self, articles: QuerySet[Any], query: Query) -> None:
        self.articles, self.query = articles, query
        self.index = index_of(connections[articles.db])
        self.spans = _spans(articles)
        self.source, self.is_narrowed_further = _filters(articles)
        self.most = MOST_WITH_PHRASE if query.wants_phrase else MOST

    def collect(self, *, in_title: bool) -> list[int]:
        """The newest of the articles that match, at most `most`; fewer if the database needs too long."""
        found, place = list[int](), 0
        try:
            with self.index.hurried():
                while place < len(self.spans):
                    found = self._marked((*self.spans[place], *self.source), in_title=in_title)
                    place = self._next(place, len(found))
        except OperationalError as error:
            logger.warning("a search ended early: %s", error)
        return found

    def _next(self, place: int, found: int) -> int:
        """Where to look next after so many were found in a span: nowhere if that is enough."""
        last = len(self.spans) - 1
        if found >= self.most or place == last:
            return len(self.spans)
        months = list(SPANS.values())
        enough = (further for further in range(place + 1, last) if found * months[further] >= self.most * months[place])
        return next(enough, min(place + FURTHEST, last))

    def _marked(self, marks: Marks, *, in_title: bool) -> list[int]:
        """The newest matches with these marks."""
        if not self.is_narrowed_further:
            return self.index.newest(self.query, marks, in_title=in_title, most=self.most)
        candidates = self.index.newest(self.query, marks, in_title=in_title, most=MOST_COMPARED + 1)
        if not candidates:
            return []
        matching = self.articles.filter(pk__in=_written(candidates))
        if len(candidates) > MOST_COMPARED:
            matching = self.articles.filter(
                pk__in=RawSQL(*self.index.matching(self.query, marks, in_title=in_title))  # noqa: S611  ours
            )
        return list(matching.order_by("-published_at", "-pk").values_list("pk", flat=True)[: self.most])


def _written(numbers: Iterable[int]) -> RawSQL:
    """Numbers for `pk__in`, written out: as parameters a thousand of them take the driver longer than the database."""
    return RawSQL(", ".join(map(str, numbers)), [])  # noqa: S611  numbers only


def _spans(articles: QuerySet[Any]) -> list[Marks]:
    """The marks of the spans that the newest article lies in, from its month on, and none for all time at the end."""
    newest = articles.model._default_manager.using(articles.db).order_by("-published_at", "-pk")
    moment = newest.values_list("published_at", flat=True).first()
    return [*([span] for span in spans(moment)), []] if moment else []


def _filters(articles: QuerySet[Any]) -> tuple[Marks, bool]:
    """The mark of the one source that a queryset is filtered by, and whether it has other filters, too.

    Only the plainest filter is understood; what isn't understood is another one.
    """
    where = articles.query.where
    if where.negated or where.connector != AND:
        return [], True
    field = articles.model._meta.get_field("source")
    plain = [each for each in where.children if isinstance(each, Exact) and isinstance(each.lhs, Col)]
    sources = [each.rhs for each in plain if each.lhs.target == field and isinstance(each.rhs, int)]
    return [of_source(pk) for pk in sources], len(sources) < len(where.children)
