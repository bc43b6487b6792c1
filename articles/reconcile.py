"""Comparing sources with the database, day by day: a run through the archive's last days that tells what it found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from articles.models import BackfillRun, Source
from articles.sites import reading
from articles.sites.reading import NotDescribed


def has_archive(source: Source) -> bool:
    """Whether the source's selectors say how older lists are read."""
    try:
        found = reading.described(source)
    except NotDescribed:
        return False
    return bool(found.archive.address or found.list.item)


def with_archives() -> list[Source]:
    """Watched sources that can be compared."""
    return [source for source in Source.objects.active() if has_archive(source)]


def plan(source: Source, days: int, *, is_dry: bool, next_step_at: datetime | None = None) -> BackfillRun:
    """A run over the last days, today's included; with `is_dry` it stores no article. It is due at `next_step_at`."""
    today = timezone.now().astimezone(ZoneInfo(source.time_zone)).date()
    return BackfillRun.objects.create(
        source=source,
        date_from=today - timedelta(days=days - 1),
        date_to=today,
        origin=BackfillRun.Origin.COMPARE if is_dry else BackfillRun.Origin.RECONCILE,
        next_step_at=next_step_at or timezone.now(),
    )


def days_of(run: BackfillRun) -> Iterator[tuple[date, int, int]]:
    """What the run has found of each day, the newest first: how many are listed, how many of them were missing."""
    for day, (listed, missing) in sorted(run.checkpoint.get("report", {}).items(), reverse=True):
        yield date.fromisoformat(day), listed, missing
