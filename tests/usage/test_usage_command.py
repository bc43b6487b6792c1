from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from usage.models import ApiUsageDaily, ApiUsageEvent, utc_day


def shown(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("usage", "show", *arguments, stdout=out)
    return out.getvalue().splitlines()


@pytest.mark.django_db
def test_an_empty_ledger_has_one_line() -> None:
    assert shown() == ["days=7 requests=0 failed=0 tokens_in=0 tokens_out=0 cost_usd=0.0000 unfinished=0"]


@pytest.mark.django_db
def test_keys_of_a_model_are_shown_together() -> None:
    today = utc_day(datetime.now(UTC))
    for key in ("a" * 64, "b" * 64):
        ApiUsageDaily.add(today, "gemini", "flash", key, requests=600, successes=599, latency_ms=6000, tokens_in=70)

    heading, row, summary = shown()

    assert heading.split()[:2] == ["day", "(UTC)"]
    assert row.split() == [str(today), "gemini", "flash", "1,200", "2", "140", "0", "0.0000", "10"]
    assert summary == "days=7 requests=1200 failed=2 tokens_in=140 tokens_out=0 cost_usd=0.0000 unfinished=0"


@pytest.mark.django_db
def test_older_days_are_left_out() -> None:
    today = utc_day(datetime.now(UTC))
    for age in range(3):
        ApiUsageDaily.add(today - timedelta(days=age), "gemini", requests=1, cost_usd=Decimal("0.25"))

    assert shown("--days", "2")[-1].startswith("days=2 requests=2 failed=2 ")
    assert "cost_usd=0.5000" in shown("--days", "2")[-1]


@pytest.mark.django_db
def test_calls_without_an_outcome_are_told() -> None:
    ApiUsageEvent.objects.create(provider="gemini")
    ApiUsageEvent.objects.create(provider="gemini", started_at=datetime.now(UTC) - timedelta(days=8))

    assert shown()[-1].endswith(" unfinished=1")


@pytest.mark.parametrize("days", ["0", "-1", "many"])
def test_days_must_be_a_number_from_one_on(days: str) -> None:
    with pytest.raises(CommandError, match="--days"):
        shown("--days", days)
