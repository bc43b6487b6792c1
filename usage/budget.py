"""What a provider's calls may cost on a UTC day. A call reserves the most it can cost before it is made.

The reservation is one conditional update a limit, in the transaction that writes the call down: whoever comes second
finds the money gone, however many workers there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import F
from django.utils.translation import gettext as _

from usage.models import Alert, Provider, PurposeBudget, Spending
from usage.prompts import BudgetSpent

# The row of a provider's whole day.
ALL = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget and how much of it is gone, in US dollars. `purpose` is empty for the provider's whole day."""

    provider: str
    purpose: str
    limit: Decimal
    used: Decimal


def limits(provider: Provider, purpose: str) -> list[tuple[str, Decimal | None]]:
    """The rows a call is booked in, always in this order, each with its limit in US dollars; None is no limit."""
    own = PurposeBudget.objects.filter(provider=provider.pk, purpose=purpose).values_list("daily_budget", flat=True)
    return [(ALL, provider.daily_budget), (purpose[:50] or "-", own.first())]


def reserve(day: date, provider: Provider, purpose: str, most: Decimal) -> None:
    """Set `most` aside in each budget the call falls under. Raises BudgetSpent; the caller's transaction is undone."""
    for name, limit in limits(provider, purpose):
        row = Spending.objects.filter(day=day, provider=provider.name, purpose=name)
        within = row if limit is None else row.filter(reserved_usd__lte=limit - most - F("spent_usd"))
        if within.update(reserved_usd=F("reserved_usd") + most):
            continue
        Spending.objects.bulk_create([Spending(day=day, provider=provider.name, purpose=name)], ignore_conflicts=True)
        if not within.update(reserved_usd=F("reserved_usd") + most):
            raise _refusal(provider, purpose if name else "")


def book(day: date, provider: str, purpose: str, *, reserved: Decimal, cost: Decimal) -> None:
    """Turn what a call had reserved into what it cost."""
    for name in (ALL, purpose or "-"):
        Spending.objects.filter(day=day, provider=provider, purpose=name).update(
            reserved_usd=F("reserved_usd") - reserved, spent_usd=F("spent_usd") + cost
        )


def standings(day: date) -> list[Standing]:
    """Every budget of enabled providers on a UTC day, by provider and purpose."""
    providers = list(Provider.objects.filter(is_enabled=True).prefetch_related("budgets"))
    rows = Spending.objects.filter(day=day, provider__in=[provider.name for provider in providers])
    used = {(row.provider, row.purpose): row.spent_usd + row.reserved_usd for row in rows}
    budgets = [
        (provider.name, purpose, limit)
        for provider in providers
        for purpose, limit in [
            (ALL, provider.daily_budget),
            *((budget.purpose, budget.daily_budget) for budget in provider.budgets.all()),
        ]
    ]
    return [
        Standing(name, purpose, limit, used.get((name, purpose), Decimal(0)))
        for name, purpose, limit in budgets
        if limit is not None
    ]


def tell_of_refusal(provider: Provider, error: BudgetSpent, day: date) -> None:
    """Raise an alert, once a day for each budget."""
    name = f"{provider.name} {error.purpose}".strip()
    Alert.sound(Alert.Code.BUDGET_SPENT, f"{name} {day}", str(error), repeats=False)


def exhausted(day: date) -> list[str]:
    """The budgets that could not bear a call of a UTC day, unless somebody has resolved that: "gemini digest"."""
    alerts = Alert.objects.filter(code=Alert.Code.BUDGET_SPENT, subject__endswith=f" {day}", resolved_at=None)
    return [subject.removesuffix(f" {day}") for subject in alerts.order_by("subject").values_list("subject", flat=True)]


def _refusal(provider: Provider, purpose: str) -> BudgetSpent:
    words = {"provider": provider.name, "purpose": purpose}
    whole = _("The daily budget of %(provider)s cannot bear another call.")
    part = _("The daily budget of %(provider)s for “%(purpose)s” cannot bear another call.")
    error = BudgetSpent((part if purpose else whole) % words)
    error.purpose = purpose
    return error
