from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from django.db import connection

from usage.models import ApiUsageDaily, SessionStatsDaily, utc_day

WRITERS = 8
ROUNDS = 25
DAY = date(2026, 11, 22)


def add_many(_writer: int) -> None:
    for _ in range(ROUNDS):
        ApiUsageDaily.add(DAY, "gemini", requests=1, tokens_in=3, cost_usd=Decimal("0.000001"))
        SessionStatsDaily.add(http_requests=1, articles_processed=2)
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_eight_writers_lose_nothing() -> None:
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(add_many, range(WRITERS)))

    daily, session = ApiUsageDaily.objects.get(), SessionStatsDaily.objects.get()
    calls = WRITERS * ROUNDS
    assert (daily.requests, daily.tokens_in, daily.cost_usd) == (calls, 3 * calls, calls * Decimal("0.000001"))
    assert (session.http_requests, session.articles_processed) == (calls, 2 * calls)


@pytest.mark.django_db
def test_days_models_and_keys_have_rows_of_their_own() -> None:
    ApiUsageDaily.add(DAY, "gemini", "flash", "a" * 64, requests=1)
    ApiUsageDaily.add(DAY, "gemini", "flash", "b" * 64, requests=1)
    ApiUsageDaily.add(DAY, "gemini", "pro", "a" * 64, requests=1)
    ApiUsageDaily.add(DAY + timedelta(days=1), "gemini", "flash", "a" * 64, requests=1)

    assert list(ApiUsageDaily.objects.values_list("requests", flat=True)) == [1, 1, 1, 1]


@pytest.mark.django_db
def test_statistics_are_those_of_today() -> None:
    SessionStatsDaily.add(tokens_in=5)
    SessionStatsDaily.add(tokens_in=2, tokens_out=1)

    today = SessionStatsDaily.objects.get(day=utc_day(datetime.now(UTC)))
    assert (today.tokens_in, today.tokens_out) == (7, 1)


def test_a_day_begins_at_midnight_utc() -> None:
    in_moscow = datetime(2026, 11, 22, 2, 59, tzinfo=timezone(timedelta(hours=3)))

    assert utc_day(in_moscow) == date(2026, 11, 21)
