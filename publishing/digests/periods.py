"""Days, weeks, months and years as digests count them: whole days of a channel's time zone. Pure."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from publishing.models import Period as Kind

__all__ = ["Kind", "Period", "days", "month"]

ONE_DAY = timedelta(days=1)
# Years that a calendar can step out of in both directions.
EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)


@dataclass(frozen=True, slots=True)
class Period:
    """A day, a week from Monday to Sunday, a month or a year; `start` and `end` are its first and last day."""

    kind: Kind
    start: date
    end: date

    @classmethod
    def containing(cls, kind: str, day: date) -> Self:
        """The period of a kind in which the day lies. Raises ValueError for a year out of reach."""
        if not EARLIEST <= day <= LATEST:
            raise ValueError(f"{day} is out of reach.")
        match Kind(kind):
            case Kind.DAILY:
                return cls(Kind.DAILY, day, day)
            case Kind.WEEKLY:
                monday = day - timedelta(days=day.weekday())
                return cls(Kind.WEEKLY, monday, monday + timedelta(days=6))
            case Kind.MONTHLY:
                last = monthrange(day.year, day.month)[1]
                return cls(Kind.MONTHLY, day.replace(day=1), day.replace(day=last))
            case Kind.ANNUAL:
                return cls(Kind.ANNUAL, date(day.year, 1, 1), date(day.year, 12, 31))

    @classmethod
    def last_ended(cls, kind: str, moment: datetime, zone: ZoneInfo) -> Self:
        """The latest period of a kind that was over at a moment (aware)."""
        return cls.containing(kind, moment.astimezone(zone).date()).previous()

    def previous(self) -> Self:
        return self.containing(self.kind, self.start - ONE_DAY)

    def next(self) -> Self:
        return self.containing(self.kind, self.end + ONE_DAY)

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The first instant of the period and the first one after it, in UTC.

        Midnights that the clocks skip or pass twice are taken as the moment of the change, or as the first of the two:
        periods follow each other without a gap, and a day that a country left out has no length.
        """
        return _midnight(self.start, zone), _midnight(self.end + ONE_DAY, zone)

    def due_at(self, at: time, zone: ZoneInfo) -> datetime:
        """When (UTC) a digest of it is due that comes at a time of day, on the day after the period's last one."""
        return datetime.combine(self.end + ONE_DAY, at, tzinfo=zone).astimezone(UTC)

    def within(self, kind: str) -> Iterator[Period]:
        """The shorter periods of a kind that begin in it, in order."""
        part = Period.containing(kind, self.start)
        while part.start <= self.end:
            if part.start >= self.start:
                yield part
            part = part.next()

    def title(self, language: str) -> str:
        """The heading of its digest in a language, such as "The week: 16–22 November 2026"."""
        with translation.override(language):
            match self.kind:
                case Kind.DAILY:
                    return _("The day: %(day)s") % {"day": _day(self.start)}
                case Kind.WEEKLY:
                    return _("The week: %(days)s") % {"days": days(self.start, self.end, language)}
                case Kind.MONTHLY:
                    return _("The month: %(month)s") % {"month": date_format(self.start, "F Y").lower()}
                case Kind.ANNUAL:
                    return _("The year %(year)d") % {"year": self.start.year}


def days(first: date, last: date, language: str) -> str:
    """Days as people write them: "16–22 November 2026", with both months, or both years, where they differ."""
    with translation.override(language):
        if first == last:
            return _day(first)
        if first.year != last.year:
            return f"{_day(first)} – {_day(last)}"
        if first.month != last.month:
            return f"{date_format(first, 'j E')} – {_day(last)}"
        return f"{first.day}–{_day(last)}"


def month(day: date, language: str) -> str:
    """The name of a day's month, as a heading."""
    with translation.override(language):
        return str(capfirst(date_format(day, "F")))


def _day(day: date) -> str:
    return date_format(day, "j E Y")


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
