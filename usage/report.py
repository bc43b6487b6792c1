"""What the ledger says of some days, for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal

from django.db.models import Sum

from usage.models import ApiUsageDaily, ApiUsageEvent


@dataclass(frozen=True, slots=True)
class Line:
    """The totals of one model on one UTC day. Costs in US dollars; latency: the mean of a request in milliseconds."""

    day: date
    provider: str
    model: str
    requests: int
    failures: int
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal
    latency_ms: int


def lines(first_day: date) -> list[Line]:
    """The totals since a UTC day, all keys of a model together, the newest day first."""
    totals = (
        ApiUsageDaily.objects.filter(day__gte=first_day)
        .values("day", "provider", "model")
        .annotate(
            asked=Sum("requests"),
            answered=Sum("successes"),
            read=Sum("tokens_in"),
            written=Sum("tokens_out"),
            cost=Sum("cost_usd"),
            waited=Sum("latency_ms"),
        )
        .order_by("-day", "provider", "model")
    )
    return [
        Line(
            day=row["day"],
            provider=row["provider"],
            model=row["model"],
            requests=row["asked"],
            failures=row["asked"] - row["answered"],
            tokens_in=row["read"],
            tokens_out=row["written"],
            cost_usd=row["cost"],
            latency_ms=round(row["waited"] / max(row["asked"], 1)),
        )
        for row in totals
    ]


def unfinished(first_day: date) -> int:
    """How many calls since a UTC day were begun and have no outcome: being made right now, or killed."""
    since = datetime.combine(first_day, time.min, tzinfo=UTC)
    return ApiUsageEvent.objects.filter(state=ApiUsageEvent.State.STARTED, started_at__gte=since).count()


def table(found: list[Line]) -> str:
    """The lines as an aligned table with a heading, numbers to the right."""
    heading = ("day (UTC)", "provider", "model", "requests", "failed", "tokens in", "tokens out", "USD", "mean ms")
    cells = [
        (
            f"{line.day:%Y-%m-%d}",
            line.provider,
            line.model or "-",
            f"{line.requests:,}",
            f"{line.failures:,}",
            f"{line.tokens_in:,}",
            f"{line.tokens_out:,}",
            f"{line.cost_usd:,.4f}",
            f"{line.latency_ms:,}",
        )
        for line in found
    ]
    widths = [max(map(len, column)) for column in zip(heading, *cells, strict=True)]
    words = 3  # columns of words come first and stand to the left
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (heading, *cells)
    )
