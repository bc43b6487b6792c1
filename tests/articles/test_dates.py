"""dates: every way to write one, in the right zone, and only sensible ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.dates import Moment, read, sensible

MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("Sun, 22 Nov 2026 10:30:00 +0300", "2026-11-22T07:30"),
        ("Sun, 22 Nov 2026 10:30:00 GMT", "2026-11-22T10:30"),
        ("Sun, 22 Nov 2026 10:30:00 EST", "2026-11-22T15:30"),
        ("Sun, 22 Nov 2026 10:30:00 MSK", "2026-11-22T07:30"),
        ("Sun, 22 Nov 2026 10:30:00 -0000", "2026-11-22T10:30"),
        ("22 Nov 2026 10:30:00", "2026-11-22T07:30"),
        ("Вс, 22 ноября 2026 10:30:00 +0300", "2026-11-22T07:30"),
        ("22 мая 2026 10:30", "2026-05-22T07:30"),
        ("2026-11-22T10:30:00Z", "2026-11-22T10:30"),
        ("2026-11-22T10:30:00.123+03:00", "2026-11-22T07:30"),
        ("2026-11-22T10:30:00", "2026-11-22T07:30"),
        (" 2026-11-22 10:30 ", "2026-11-22T07:30"),
        ("22.11.2026 10:30", "2026-11-22T07:30"),
        ("22.11.26, 10:30:59", "2026-11-22T07:30"),
        ("04.08.2010 10:30", "2010-08-04T06:30"),
    ],
)
def test_a_time_is_read_in_utc(written: str, utc: str) -> None:
    moment = read(written, MOSCOW)

    assert moment is not None
    assert (moment.at.isoformat()[:16], moment.at.tzinfo, moment.precision) == (utc, UTC, "minute")


@pytest.mark.parametrize("written", ["2026-11-22", "22.11.2026", "22.11.26"])
def test_a_day_is_its_midnight_in_the_zone_of_the_source(written: str) -> None:
    assert read(written, MOSCOW) == Moment(datetime(2026, 11, 21, 21, 0, tzinfo=UTC), "day")


@pytest.mark.parametrize("written", ["", "вчера", "2026-13-40", "32.11.2026", "0001-01-01T00:00:00+14:00", "2026"])
def test_what_is_no_date_is_none(written: str) -> None:
    assert read(written, MOSCOW) is None


@given(st.text(max_size=40))
def test_no_text_is_an_error(text: str) -> None:
    moment = read(text, MOSCOW)

    assert moment is None or moment.at.tzinfo is UTC


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2068, 12, 31)),  # noqa: DTZ001 - hypothesis gives them the zone
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_every_time_is_read_as_it_was_meant_however_it_is_written(naive: datetime, zone: timezone) -> None:
    meant = naive.replace(second=0, microsecond=0, tzinfo=zone)
    written = (meant.isoformat(), format_datetime(meant), f"{meant:%d.%m.%Y %H:%M}", f"{meant:%d.%m.%y, %H:%M:%S}")

    assert {read(each, zone) for each in written} == {Moment(meant.astimezone(UTC), "minute")}


@pytest.mark.parametrize("year", [1, 1970, 1989])
def test_a_date_from_before_the_web_is_none(year: int) -> None:
    assert sensible(Moment(datetime(year, 6, 1, tzinfo=UTC), "minute"), NOW) is None


def test_a_date_of_next_week_is_none() -> None:
    assert sensible(Moment(NOW + timedelta(days=7), "minute"), NOW) is None


def test_a_date_some_hours_ahead_is_now() -> None:
    assert sensible(Moment(NOW + timedelta(hours=3), "minute"), NOW) == Moment(NOW, "minute")


def test_a_past_date_stays() -> None:
    past = Moment(NOW - timedelta(days=400), "day")

    assert sensible(past, NOW) == past
