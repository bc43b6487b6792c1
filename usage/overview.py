"""What the calls of some days came to: by day, provider, model, key and purpose, beside the budgets.

Drawn from the totals of days alone, which are few however many calls there were and are kept when calls are forgotten.
Purposes are known from the books of the budgets, which count money and no requests.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Min, Sum

from usage import budget
from usage.models import ApiUsageDaily, Provider, Spending

# The longest span that is shown, in days.
LONGEST = 366
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Span:
    """UTC days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> Span:
        """As many days right before."""
        return Span(self.first - timedelta(days=self.days), self.first - timedelta(days=1))

    def each(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range(self.days)]


@dataclass(frozen=True, slots=True)
class Totals:
    """What calls came to. Costs in US dollars, latency in milliseconds of all requests together."""

    requests: int = 0
    successes: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: Decimal = NOTHING
    latency_ms: int = 0

    @property
    def failures(self) -> int:
        return self.requests - self.successes

    @property
    def mean_ms(self) -> int:
        return round(self.latency_ms / max(self.requests, 1))

    def __add__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, name) + getattr(other, name) for name in AMOUNTS))


AMOUNTS = ("requests", "successes", "tokens_in", "tokens_out", "cost_usd", "latency_ms")
# By what the calls can be put together: the name of each way, and the columns of the totals.
WAYS: dict[str, tuple[str, ...]] = {
    "day": ("day",),
    "provider": ("provider",),
    "model": ("provider", "model"),
    "key": ("provider", "api_key_hash"),
}
PURPOSE = "purpose"


@dataclass(frozen=True, slots=True)
class Line:
    """The totals of calls that have these values in common, and which part of the cost of all that is, 0 to 1."""

    values: tuple[object, ...]
    totals: Totals
    part: float


@dataclass(frozen=True, slots=True)
class Share:
    """What calls for a purpose cost, in US dollars, and what killed calls may have cost; its budget a day, if any."""

    provider: str
    purpose: str
    cost_usd: Decimal
    reserved_usd: Decimal
    daily_budget: Decimal | None


def lines(span: Span, way: str) -> list[Line]:
    """The totals of a span put together in one of `WAYS`; days newest first, all else by cost, then requests."""
    columns = WAYS[way]
    rows = (
        ApiUsageDaily.objects.filter(day__gte=span.first, day__lte=span.last)
        .order_by()
        .values_list(*columns)
        .annotate(*(Sum(name) for name in AMOUNTS))
    )
    found = [(tuple(row[: len(columns)]), Totals(*row[len(columns) :])) for row in rows]
    whole = total(totals for _values, totals in found).cost_usd
    together = [Line(values, totals, float(totals.cost_usd / whole) if whole else 0.0) for values, totals in found]
    if way == "day":
        return sorted(together, key=lambda line: str(line.values[0]), reverse=True)
    return sorted(together, key=lambda line: (-line.totals.cost_usd, -line.totals.requests, str(line.values)))


def total(parts: Iterable[Totals]) -> Totals:
    return sum(parts, Totals())


def cost_of(span: Span) -> Decimal:
    """What all calls of a span cost, in US dollars."""
    days = ApiUsageDaily.objects.filter(day__gte=span.first, day__lte=span.last)
    return days.aggregate(sum=Sum("cost_usd"))["sum"] or NOTHING


def purposes(span: Span) -> list[Share]:
    """What each provider's purposes cost, the dearest first; a purpose that has a budget is there even if unused."""
    rows = (
        Spending.objects.filter(day__gte=span.first, day__lte=span.last)
        .exclude(purpose=budget.ALL)
        .order_by()
        .values_list("provider", "purpose")
        .annotate(Sum("spent_usd"), Sum("reserved_usd"))
    )
    spent = {(provider, purpose): (cost, reserved) for provider, purpose, cost, reserved in rows}
    enabled = Provider.objects.filter(is_enabled=True, budgets__isnull=False)
    limits = {
        (provider, purpose): limit
        for provider, purpose, limit in enabled.values_list("name", "budgets__purpose", "budgets__daily_budget")
    }
    shares = [
        Share(*names, *spent.get(names, (NOTHING, NOTHING)), daily_budget=limits.get(names))
        for names in {*spent, *limits}
    ]
    return sorted(shares, key=lambda share: (-share.cost_usd, share.provider, share.purpose))


def daily_budget() -> Decimal | None:
    """What all enabled providers with a budget may cost a day, in US dollars; None if none of them has one."""
    limited = Provider.objects.filter(is_enabled=True, daily_budget__isnull=False)
    whole: Decimal | None = limited.aggregate(sum=Sum("daily_budget"))["sum"]
    return whole


def first_day() -> date | None:
    """The first UTC day that anything was counted on."""
    oldest: date | None = ApiUsageDaily.objects.aggregate(oldest=Min("day"))["oldest"]
    return oldest


def columns_of(way: str) -> tuple[str, ...]:
    """The headings of a table's file."""
    return (*WAYS[way], *AMOUNTS)
