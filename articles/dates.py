"""Dates as feeds and sites write them, to UTC. Pure, and without Django: workers parse."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import Literal

Precision = Literal["minute", "day", "seen"]

# Before it there was no news on the web: such dates are empty fields (1970-01-01, 0001-01-01) or mistakes.
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)

# Clocks and zones are often set wrong by hours; a date beyond that tells of an event, not of when it was written.
TOLERANCE = timedelta(days=1)

ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:")
NUMERIC = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})(?:,? +(\d{1,2}):(\d{2})(?::\d{2})?)?")
RUSSIAN_MONTH = re.compile(
    r"(?<=\d)\s+(янв|фев|мар|апр|ма[йя]|июн|июл|авг|сен|окт|ноя|дек)[а-я]*\.?\s+(?=\d)", re.IGNORECASE
)
RUSSIAN_WEEKDAY = re.compile(r"^[а-я]+\.?,\s*", re.IGNORECASE)
# fmt: off
MONTHS = {
    "янв": "Jan", "фев": "Feb", "мар": "Mar", "апр": "Apr", "май": "May", "мая": "May", "июн": "Jun",
    "июл": "Jul", "авг": "Aug", "сен": "Sep", "окт": "Oct", "ноя": "Nov", "дек": "Dec",
}
# fmt: on
MOSCOW = re.compile(r"\bMS([KD])\b")


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant in UTC and how exactly it is known."""

    at: datetime
    precision: Precision


def read(text: str, zone: tzinfo) -> Moment | None:
    """The instant that a date in a feed names: ISO 8601, RFC 822 (Russian names too), or `22.11.2026 14:05`.

    `zone` is that of dates which name none; a day without a time is its midnight there. None if it is no date.
    """
    text = text.strip()
    try:
        if ISO_DAY.fullmatch(text):
            return Moment(_in_utc(datetime.fromisoformat(text), zone), "day")
        if ISO.match(text):
            return Moment(_in_utc(datetime.fromisoformat(text), zone), "minute")
        if numeric := NUMERIC.fullmatch(text):
            return _numeric(numeric, zone)
        return Moment(_rfc822(text, zone), "minute")
    except (ValueError, OverflowError):
        return None


def read_in(text: str, formats: tuple[str, ...], zone: tzinfo) -> Moment | None:
    """The instant that a date names in one of these formats of `strptime`, months in Russian or English; None if in
    none of them. Without an hour in its format it is known to the day.
    """
    english = RUSSIAN_MONTH.sub(lambda month: f" {MONTHS[month[1].lower()]} ", text.strip())
    for written in formats:
        try:
            moment = datetime.strptime(english, written)  # noqa: DTZ007 - `in_utc` gives it the zone
        except ValueError:
            continue
        has_hour = any(directive in written for directive in ("%H", "%I", "%c", "%X"))
        return in_utc(moment, zone, "minute" if has_hour else "day")
    return None


def in_utc(moment: datetime, zone: tzinfo, precision: Precision) -> Moment | None:
    """The moment in UTC, in `zone` if it names none; None where the calendar ends."""
    try:
        return Moment(_in_utc(moment, zone), precision)
    except OverflowError:
        return None


def sensible(moment: Moment | None, now: datetime) -> Moment | None:
    """The moment, if it can be when something was published: not from before the web, not from tomorrow.

    What lies less than a day ahead of `now` is a wrong clock or zone and becomes `now`.
    """
    if moment is None or moment.at < EARLIEST or moment.at > now + TOLERANCE:
        return None
    return Moment(min(moment.at, now), moment.precision)


def _in_utc(moment: datetime, zone: tzinfo) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _numeric(found: re.Match[str], zone: tzinfo) -> Moment:
    day, month, year, hour, minute = found.groups(default="")
    # As POSIX and `strptime` have it: 69 is 1969, and 68 is 2068.
    full_year = year if len(year) > len("26") else f"{'19' if year >= '69' else '20'}{year}"
    moment = datetime(int(full_year), int(month), int(day), int(hour or 0), int(minute or 0), tzinfo=zone)
    return Moment(_in_utc(moment, zone), "minute" if hour else "day")


def _rfc822(text: str, zone: tzinfo) -> datetime:
    text = RUSSIAN_WEEKDAY.sub("", text)
    text = RUSSIAN_MONTH.sub(lambda month: f" {MONTHS[month[1].lower()]} ", text)
    text = MOSCOW.sub(lambda zone_name: "+0300" if zone_name[1] == "K" else "+0400", text)
    # RFC 5322, section 3.3: -0000 is UTC, without a word about the local zone.
    return _in_utc(parsedate_to_datetime(text), UTC if text.endswith("-0000") else zone)
