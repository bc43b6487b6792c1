"""How a source lives: how old its newest article is, how often one usually comes, and how many came on each day.

Everything is asked by an index: the newest article of a source and the one fifty before it are two looks into it, and
days are counted for two weeks only. So it costs the same however many articles there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from urllib.parse import urlsplit

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import TruncDate
from django.utils import timezone

from articles.models import Article, DeadLetter, Source

# The pace is told from so many of the newest articles.
PACE_OF = 50
# An article is late after so many of the usual pauses, nights among them; nothing is called late within the hour.
PATIENCE = 4
SHORTEST_PATIENCE = timedelta(hours=1)
# Days that are counted, today the last.
DAYS = 14
# The newest dead letters, so many, are looked through for those of a source.
LETTERS = 1_000
OF_ARTICLES = (DeadLetter.EntityType.ARTICLE, DeadLetter.EntityType.SUMMARY, DeadLetter.EntityType.FORECAST)


@dataclass(frozen=True, slots=True)
class Pulse:
    """When the newest article of a source was published, and the usual pause between two of them, if that is known."""

    newest: datetime | None
    pause: timedelta | None

    def is_late(self, now: datetime) -> bool:
        """Whether nothing has come for much longer than usual."""
        if self.newest is None or self.pause is None:
            return False
        return now - self.newest > max(self.pause * PATIENCE, SHORTEST_PATIENCE)


@dataclass(frozen=True, slots=True)
class Days:
    """How many articles are dated to each of the last days, the oldest first; the last day is today so far."""

    first: date
    counts: tuple[int, ...]

    @property
    def usual(self) -> float:
        """The median of the days that are over."""
        return float(median(self.counts[:-1]))

    @property
    def today(self) -> int:
        return self.counts[-1]

    def by_day(self) -> list[tuple[date, int]]:
        return [(self.first + timedelta(days=place), count) for place, count in enumerate(self.counts)]


def with_pulse(sources: QuerySet[Source]) -> QuerySet[Source]:
    """The sources with what `pulse_of` looks at."""
    newest = Article.objects.filter(source=OuterRef("pk")).order_by("-published_at", "-id").values("published_at")
    return sources.annotate(newest=Subquery(newest[:1]), earlier=Subquery(newest[PACE_OF : PACE_OF + 1]))


def pulse_of(source: Source) -> Pulse:
    """The pulse of a source that was fetched by `with_pulse`. One with few articles has no usual pause yet."""
    newest, earlier = vars(source)["newest"], vars(source)["earlier"]
    return Pulse(newest, (newest - earlier) / PACE_OF if earlier else None)


def days_of(sources: Iterable[Source], now: datetime | None = None) -> dict[int, Days]:
    """The last days of each source, by its number, in the zone of `settings.TIME_ZONE`. One query."""
    numbers = [source.pk for source in sources]
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight.date() - timedelta(days=DAYS - 1)
    rows = (
        Article.objects.filter(
            source__in=numbers,
            published_at__gte=midnight - timedelta(days=DAYS - 1),
            published_at__lt=midnight + timedelta(days=1),
        )
        .order_by()
        .annotate(day=TruncDate("published_at"))
        .values_list("source", "day")
        .annotate(count=Count("pk"))
    )
    counted: Mapping[tuple[int, date], int] = {(source, day): count for source, day, count in rows}
    return {
        number: Days(first, tuple(counted.get((number, first + timedelta(days=place)), 0) for place in range(DAYS)))
        for number in numbers
    }


def letters_of(sources: Iterable[Source]) -> dict[int, list[int]]:
    """The numbers of the dead letters of each source, among the newest: by the article, or by the page's server."""
    watched = list(sources)
    wanted, servers = {one.pk for one in watched}, {_server(one.url): one.pk for one in watched}
    newest = DeadLetter.objects.order_by("-last_seen_at").values_list("pk", "entity_type", "entity_ref")
    letters = list(newest[:LETTERS])
    numbers = {int(ref[:18]) for _pk, kind, ref in letters if kind in OF_ARTICLES and ref.isdecimal()}
    source_of = dict(Article.objects.filter(pk__in=numbers).order_by().values_list("pk", "source")) if numbers else {}
    found = defaultdict[int, list[int]](list)
    for pk, kind, ref in letters:
        is_article = kind in OF_ARTICLES and ref.isdecimal()
        owner = source_of.get(int(ref[:18])) if is_article else servers.get(_server(ref))
        if owner in wanted:
            found[owner].append(pk)
    return found


def _server(address: str) -> str | None:
    """The name of an address's server; None for what is no address."""
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
