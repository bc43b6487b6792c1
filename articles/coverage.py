"""What the database has of a source's archive, day by day."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Min
from django.db.models.functions import TruncDate
from django.utils import timezone

from articles.models import ArchiveDay, Article, BackfillRun, Source

# So many ranges of missing days become runs at once.
MOST_RUNS = 50


@dataclass(frozen=True, slots=True)
class Day:
    """`stored` articles of a day; `listed` by the archive when it was looked at, None if it never was to the end."""

    day: date
    stored: int
    listed: int | None = None
    missing: int = 0

    @property
    def state(self) -> str:
        """full, gap, unknown (articles, never compared) or empty (nothing, never compared)."""
        if self.missing:
            return "gap"
        if self.listed is not None:
            return "full"
        return "unknown" if self.stored else "empty"


@dataclass(frozen=True, slots=True)
class Month:
    """A month by its weeks, Monday first; None beside it and for days that are to come."""

    first: date
    weeks: list[list[Day | None]]

    @property
    def days(self) -> list[Day]:
        return [day for week in self.weeks for day in week if day]


def year_of(source: Source, year: int) -> list[Month]:
    """The months of a year that have begun, the latest first. Two queries."""
    zone = ZoneInfo(source.time_zone)
    today = timezone.now().astimezone(zone).date()
    begin, end = (datetime.combine(date(each, 1, 1), time.min, tzinfo=zone) for each in (year, year + 1))
    stored = dict(
        Article.objects.filter(source=source, published_at__gte=begin, published_at__lt=end)
        .order_by()
        .annotate(day=TruncDate("published_at", tzinfo=zone))
        .values_list("day")
        .annotate(Count("pk"))
    )
    archived = {
        each.day: each for each in ArchiveDay.objects.filter(source=source, day__year=year) if _is_final(each, zone)
    }

    def day(of: date, month: int) -> Day | None:
        if of.month != month or of > today:
            return None
        known = archived.get(of)
        return Day(of, stored.get(of, 0), known.listed if known else None, known.missing if known else 0)

    return [
        Month(
            date(year, month, 1),
            [[day(of, month) for of in week] for week in Calendar().monthdatescalendar(year, month)],
        )
        for month in range(12, 0, -1)
        if date(year, month, 1) <= today
    ]


def years(source: Source) -> list[int]:
    """From the first year that anything is known of to this one, newest first."""
    span = Article.objects.filter(source=source).aggregate(first=Min("published_at"), last=Max("published_at"))
    looked_at = ArchiveDay.objects.filter(source=source).aggregate(first=Min("day"))["first"]
    now = timezone.now()
    firsts = [now.year, *([span["first"].year] if span["first"] else []), *([looked_at.year] if looked_at else [])]
    return list(range(now.year, min(firsts) - 1, -1))


def fill(source: Source, days: list[date], *, only_compare: bool = False) -> list[BackfillRun]:
    """Plan runs over these days, one for each stretch of them; with `only_compare` they store no article."""
    now, origin = timezone.now(), BackfillRun.Origin.COMPARE if only_compare else BackfillRun.Origin.PERSON
    return [
        BackfillRun.objects.create(source=source, date_from=first, date_to=last, origin=origin, next_step_at=now)
        for first, last in list(_stretches(sorted(days)))[:MOST_RUNS]
    ]


def _is_final(archived: ArchiveDay, zone: ZoneInfo) -> bool:
    """Whether the day was over when its archive was looked at."""
    end = datetime.combine(archived.day + timedelta(days=1), time.min, tzinfo=zone)
    return archived.checked_at >= end


def _stretches(days: list[date]) -> Iterator[tuple[date, date]]:
    """First and last day of each row of days without a break."""
    if not days:
        return
    first = days[0]
    for day, following in pairwise(days):
        if following - day > timedelta(days=1):
            yield first, day
            first = following
    yield first, days[-1]
