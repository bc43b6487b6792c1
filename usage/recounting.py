"""The ledger's upkeep: totals made anew of the calls, and old calls forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Min, Q, Sum, Value, When
from django.utils import timezone

from usage.models import Alert, ApiUsageDaily, ApiUsageEvent, Spending, utc_day
from usage.pricing import SMALLEST

State = ApiUsageEvent.State
KEY = ("provider", "model", "api_key_hash")
AMOUNTS = ("requests", "successes", "tokens_in", "tokens_out", "cost_usd", "latency_ms")
# Rows that are deleted in one transaction.
BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Recount:
    """How many days were counted anew, how many of their rows were wrong, and how many days were left alone."""

    days: int
    corrected: int
    left_alone: int


def recalculate(first: date, last: date) -> Recount:
    """Make the totals of the UTC days from `first` to `last` anew of their calls. A second time changes nothing.

    Days before the oldest call that is kept are left alone: their calls have been forgotten, their totals are all there
    is. Calls may go on meanwhile.
    """
    oldest = ApiUsageEvent.objects.aggregate(oldest=Min("started_at"))["oldest"]
    days = list(_days(first, last))
    known = [day for day in days if oldest and day >= utc_day(oldest)]
    corrected = sum(_recount_daily(day) + _recount_spending(day) for day in known)
    return Recount(days=len(known), corrected=corrected, left_alone=len(days) - len(known))


def _days(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day += timedelta(days=1)


def _calls(day: date) -> Q:
    midnight = datetime.combine(day, time.min, tzinfo=UTC)
    return Q(started_at__gte=midnight, started_at__lt=midnight + timedelta(days=1))


@transaction.atomic
def _recount_daily(day: date) -> int:
    """The corrected rows of a day. They are locked first, so that a call which ends meanwhile waits and adds itself."""
    completed = ApiUsageEvent.objects.filter(_calls(day)).exclude(state=State.STARTED).order_by()
    keys = list(completed.values(*KEY).distinct())
    ApiUsageDaily.objects.bulk_create([ApiUsageDaily(day=day, **key) for key in keys], ignore_conflicts=True)
    rows = {_key(row): row for row in ApiUsageDaily.objects.filter(day=day).order_by("pk").select_for_update()}
    succeeded = Case(When(state=State.SUCCEEDED, then=F("requests")), default=Value(0))
    totals = completed.values(*KEY).annotate(
        new_requests=Sum("requests"),
        new_successes=Sum(succeeded),
        new_tokens_in=Sum("tokens_in"),
        new_tokens_out=Sum("tokens_out"),
        new_cost_usd=Sum("cost_usd"),
        new_latency_ms=Sum("latency_ms", default=0),
    )
    amounts = {tuple(total[name] for name in KEY): {name: total[f"new_{name}"] for name in AMOUNTS} for total in totals}
    return sum(_correct(row, amounts.get(key)) for key, row in rows.items())


def _key(row: ApiUsageDaily) -> tuple[str, ...]:
    return (row.provider, row.model, row.api_key_hash)


def _correct(row: ApiUsageDaily | Spending, amounts: dict[str, Any] | None) -> bool:
    """Set the row to the amounts, or delete one that no call speaks for; whether it was wrong."""
    if amounts is None:
        row.delete()
        return True
    # SQLite adds up decimals as floating point numbers.
    amounts = {
        name: amount.quantize(SMALLEST) if isinstance(amount, Decimal) else amount for name, amount in amounts.items()
    }
    if all(getattr(row, name) == amount for name, amount in amounts.items()):
        return False
    for name, amount in amounts.items():
        setattr(row, name, amount)
    row.save(update_fields=list(amounts))
    return True


@transaction.atomic
def _recount_spending(day: date) -> int:
    """The corrected budget rows of a day: what ended calls cost, and what unfinished ones have set aside."""
    rows = list(Spending.objects.filter(day=day).order_by("purpose", "pk").select_for_update())
    is_open = Q(state=State.STARTED)
    corrected = 0
    for row in rows:
        calls = ApiUsageEvent.objects.filter(_calls(day), provider=row.provider)
        if row.purpose:
            calls = calls.filter(purpose="" if row.purpose == "-" else row.purpose)
        amounts = calls.aggregate(
            spent_usd=Sum("cost_usd", filter=~is_open, default=0),
            reserved_usd=Sum("reserved_usd", filter=is_open, default=0),
        )
        corrected += _correct(row, amounts)
    return corrected


def prune(keep_days: int) -> int:
    """Forget the calls of UTC days that ended more than `keep_days` days ago; how many. Totals of the days stay.

    Whole days only, so that a day's calls are either all there or gone. What is linked to a call loses the link.
    Alerts that were resolved before then go too.
    """
    first_kept = datetime.combine(utc_day(timezone.now()) - timedelta(days=keep_days), time.min, tzinfo=UTC)
    old = ApiUsageEvent.objects.filter(started_at__lt=first_kept).order_by()
    Alert.objects.forget(first_kept)
    forgotten = 0
    while batch := list(old.values_list("pk", flat=True)[:BATCH]):
        ApiUsageEvent.objects.filter(pk__in=batch).delete()
        forgotten += len(batch)
    return forgotten
