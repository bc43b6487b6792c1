"""Times as people read them, in Moscow."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from usage import moments

MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 22, 15, 4, tzinfo=MOSCOW)


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (datetime(2026, 11, 22, 9, 5, tzinfo=MOSCOW), "09:05"),
        (datetime(2026, 11, 22, 21, 30, tzinfo=ZoneInfo("UTC")), "23 ноября, 00:30"),
        (datetime(2025, 3, 1, 18, 0, tzinfo=MOSCOW), "1 марта 2025, 18:00"),
    ],
)
def test_only_as_much_of_the_date_is_written_as_is_needed(moment: datetime, written: str) -> None:
    assert moments.when(moment) == written


@pytest.mark.parametrize(
    ("span", "written"),
    [(timedelta(seconds=1), "1 секунду"), (timedelta(seconds=5), "5 секунд"), (timedelta(hours=3), "3\xa0часа")],
)
def test_an_age_is_told_in_its_greatest_unit(span: timedelta, written: str) -> None:
    assert moments.age(NOW - span) == written


def test_a_clock_that_is_ahead_gives_no_negative_age() -> None:
    assert moments.age(NOW + timedelta(seconds=30)) == "0 секунд"
