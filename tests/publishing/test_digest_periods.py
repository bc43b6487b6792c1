"""Periods over thirty years and in time zones whose clocks do everything clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publishing.digests.periods import Kind, Period, days

# Moscow moved its own clocks three times; Beirut and Havana change theirs at midnight; Apia left a whole day out.
ZONES = ["Europe/Moscow", "America/New_York", "Asia/Beirut", "America/Havana", "Pacific/Apia"]
KINDS = st.sampled_from(list(Kind))
DAYS = st.dates(date(2000, 1, 1), date(2030, 12, 31))
MOMENTS = DAYS.flatmap(lambda day: st.times(timezones=st.just(UTC)).map(lambda at: datetime.combine(day, at)))
PLACES = st.sampled_from([ZoneInfo(name) for name in ZONES])


@given(KINDS, DAYS)
def test_a_day_lies_in_the_period_that_contains_it(kind: Kind, day: date) -> None:
    period = Period.containing(kind, day)

    assert period.start <= day <= period.end
    assert Period.containing(kind, period.start) == Period.containing(kind, period.end) == period


@given(KINDS, DAYS)
def test_periods_follow_each_other_without_a_gap(kind: Kind, day: date) -> None:
    period = Period.containing(kind, day)

    assert period.next().start - period.end == timedelta(days=1)
    assert period.next().previous() == period


@given(KINDS, DAYS, PLACES)
def test_the_bounds_of_neighbours_meet_whatever_the_clocks_do(kind: Kind, day: date, zone: ZoneInfo) -> None:
    period = Period.containing(kind, day)

    begin, end = period.bounds(zone)

    assert begin <= end == period.next().bounds(zone)[0]


@given(KINDS, MOMENTS, PLACES)
def test_every_moment_lies_within_the_bounds_of_its_period(kind: Kind, moment: datetime, zone: ZoneInfo) -> None:
    local = moment.astimezone(zone)
    period = Period.containing(kind, local.date())

    begin, end = period.bounds(zone)

    # Where midnight comes twice, the second time belongs to the day that has begun.
    assert begin <= moment < end or local.fold


@given(DAYS)
def test_weeks_go_from_monday_to_sunday_over_the_ends_of_years(day: date) -> None:
    week = Period.containing(Kind.WEEKLY, day)

    assert (week.start.isoweekday(), week.end.isoweekday(), (week.end - week.start).days) == (1, 7, 6)


@given(st.sampled_from([(Kind.MONTHLY, Kind.DAILY), (Kind.ANNUAL, Kind.MONTHLY)]), DAYS)
def test_a_longer_period_is_made_of_its_parts(kinds: tuple[Kind, Kind], day: date) -> None:
    whole = Period.containing(kinds[0], day)

    parts = list(whole.within(kinds[1]))

    assert (parts[0].start, parts[-1].end) == (whole.start, whole.end)
    assert all(one.next() == other for one, other in pairwise(parts))


@pytest.mark.parametrize(
    ("kind", "day", "first", "last"),
    [
        (Kind.MONTHLY, "2024-02-29", "2024-02-01", "2024-02-29"),
        (Kind.MONTHLY, "2100-02-28", "2100-02-01", "2100-02-28"),
        (Kind.WEEKLY, "2027-01-01", "2026-12-28", "2027-01-03"),
        (Kind.ANNUAL, "2024-12-31", "2024-01-01", "2024-12-31"),
    ],
)
def test_leap_days_and_the_ends_of_years(kind: Kind, day: str, first: str, last: str) -> None:
    period = Period.containing(kind, date.fromisoformat(day))

    assert (str(period.start), str(period.end)) == (first, last)


def test_a_day_that_a_country_left_out_has_no_length() -> None:
    begin, end = Period.containing(Kind.DAILY, date(2011, 12, 30)).bounds(ZoneInfo("Pacific/Apia"))

    assert begin == end


def test_the_days_of_the_change_of_clocks_have_23_and_25_hours() -> None:
    zone = ZoneInfo("Europe/Berlin")
    spring, autumn = (
        Period.containing(Kind.DAILY, day).bounds(zone) for day in (date(2026, 3, 29), date(2026, 10, 25))
    )

    assert (spring[1] - spring[0], autumn[1] - autumn[0]) == (timedelta(hours=23), timedelta(hours=25))


@given(KINDS, DAYS, PLACES, st.times())
def test_a_digest_is_never_due_before_its_period_is_over(kind: Kind, day: date, zone: ZoneInfo, at: time) -> None:
    period = Period.containing(kind, day)

    assert period.due_at(at.replace(microsecond=0), zone) >= period.bounds(zone)[1]


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        ("2026-11-16", "2026-11-22", "16–22 ноября 2026"),
        ("2026-11-30", "2026-12-06", "30 ноября – 6 декабря 2026"),
        ("2026-12-28", "2027-01-03", "28 декабря 2026 – 3 января 2027"),
        ("2026-11-22", "2026-11-22", "22 ноября 2026"),
    ],
)
def test_days_are_told_as_people_write_them(first: str, last: str, told: str) -> None:
    assert days(date.fromisoformat(first), date.fromisoformat(last), "ru") == told


def test_titles_are_in_the_language_of_the_channel() -> None:
    week = Period.containing(Kind.WEEKLY, date(2026, 11, 22))

    assert week.title("en") == "The week: 16–22 November 2026"
    assert "16–22 ноября 2026" in week.title("ru")


def test_a_year_out_of_reach_is_refused() -> None:
    with pytest.raises(ValueError, match="out of reach"):
        Period.containing(Kind.ANNUAL, date.max)
