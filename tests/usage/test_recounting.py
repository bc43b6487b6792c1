from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from usage import budget, ledger
from usage.models import ApiUsageDaily, ApiUsageEvent, Provider, Spending, utc_day
from usage.prompts import ProviderFailed, Reply
from usage.recounting import Recount, prune, recalculate
from usage.tasks import prune_calls

pytestmark = pytest.mark.django_db


def today() -> date:
    """Asked for anew by each test: a suite may run over midnight."""
    return utc_day(datetime.now(UTC))


def totals() -> tuple[list[object], list[object]]:
    daily = ApiUsageDaily.objects.order_by("day", "provider").values_list("day", "provider", "requests", "cost_usd")
    return list(daily), list(Spending.objects.order_by("purpose").values_list("purpose", "spent_usd", "reserved_usd"))


@pytest.fixture
def calls(transactional_db: None) -> Provider:
    """An answer, a failure and a call that was killed, all of today."""
    provider = Provider.objects.create(name="gemini", kind=Provider.Kind.OPENAI, price_in=1, daily_budget=5)
    one, two, _killed = (
        ledger.begin(provider, purpose="summary", subject="", extra={}, most_usd=Decimal("0.5")) for _ in range(3)
    )
    ledger.succeed(one, provider, Reply("yes", tokens_in=100_000), latency_ms=5)
    ledger.fail(two, provider, ProviderFailed(), latency_ms=7)
    return provider


@pytest.mark.usefixtures("calls")
def test_right_totals_stay_as_they_are() -> None:
    before = totals()

    assert recalculate(today(), today()) == Recount(days=1, corrected=0, left_alone=0)

    assert totals() == before
    assert before[1] == [("", Decimal("0.1"), Decimal("0.5")), ("summary", Decimal("0.1"), Decimal("0.5"))]


@pytest.mark.usefixtures("calls")
def test_wrong_totals_are_put_right_once() -> None:
    before = totals()
    ApiUsageDaily.objects.update(requests=77, cost_usd=9)
    Spending.objects.update(spent_usd=3, reserved_usd=0)
    ApiUsageDaily.objects.create(day=today(), provider="nobody", requests=1)

    assert recalculate(today(), today()).corrected == 4
    assert recalculate(today(), today()).corrected == 0

    assert totals() == before


@pytest.mark.usefixtures("calls")
def test_lost_rows_come_back() -> None:
    before = totals()[0]
    ApiUsageDaily.objects.all().delete()

    recalculate(today(), today())

    assert totals()[0] == before


@pytest.mark.usefixtures("calls")
def test_days_whose_calls_are_forgotten_are_left_alone() -> None:
    old = today() - timedelta(days=40)
    ApiUsageDaily.objects.create(day=old, provider="gemini", requests=1_000)

    assert recalculate(old, today()).left_alone == 40

    assert ApiUsageDaily.objects.get(day=old).requests == 1_000


def test_old_calls_are_forgotten_by_whole_days() -> None:
    midnight = datetime.combine(today() - timedelta(days=30), datetime.min.time(), tzinfo=UTC)
    for moment in (midnight - timedelta(seconds=1), midnight, datetime.now(UTC)):
        ApiUsageEvent.objects.create(provider="gemini", started_at=moment)
    ApiUsageDaily.objects.create(day=date(2020, 1, 1), provider="gemini")

    assert prune(30) == 1
    assert prune(30) == 0

    assert ApiUsageEvent.objects.count() == 2
    assert ApiUsageDaily.objects.exists()


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("usage", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("calls")
def test_the_command_says_what_it_did() -> None:
    assert run("recalculate", "--from", str(today())) == "days=1 corrected=0 left_alone=0\n"
    assert run("prune") == "forgotten=0\n"


def test_the_command_refuses_a_reversed_range() -> None:
    with pytest.raises(CommandError, match="--from is later"):
        run("recalculate", "--from", "2026-11-22", "--to", "2026-11-21")


@pytest.mark.usefixtures("calls")
def test_a_budget_counts_what_killed_calls_may_have_cost() -> None:
    standing = budget.standings(today())[0]

    assert standing.used == Decimal("0.6")


@pytest.mark.usefixtures("calls")
def test_many_small_amounts_are_added_up_to_the_millionth() -> None:
    ApiUsageEvent.objects.bulk_create(
        ApiUsageEvent(provider="many", state="succeeded", cost_usd=Decimal("0.000007"), purpose="summary")
        for _ in range(2_000)
    )
    ApiUsageDaily.objects.create(
        day=today(), provider="many", requests=2_000, successes=2_000, cost_usd=Decimal("0.014")
    )

    assert recalculate(today(), today()).corrected == 0


def test_the_daily_task_keeps_thirty_days() -> None:
    for age in (29, 32):
        ApiUsageEvent.objects.create(provider="gemini", started_at=datetime.now(UTC) - timedelta(days=age))

    prune_calls()

    assert ApiUsageEvent.objects.count() == 1
