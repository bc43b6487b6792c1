"""Each call to a provider is written down before it is made and completed after it: a killed one leaves its trace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from usage import budget, health, metrics, prompts
from usage.health import Credential
from usage.models import ApiUsageDaily, ApiUsageEvent, Provider, SessionStatsDaily, utc_day
from usage.pricing import cost
from usage.prompts import LlmError, Reply

# A call that has not come to its end so long after its timeout was killed; its place is free again.
GRACE = timedelta(seconds=15)
NO_USAGE = "no_usage"


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How a call ended: its state and what it came to. Time in milliseconds, cost in US dollars."""

    state: ApiUsageEvent.State
    latency_ms: int
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal
    http_status: int | None
    error_code: str
    extra: dict[str, Any]


def begin(
    provider: Provider,
    *,
    purpose: str,
    subject: str,
    extra: dict[str, Any],
    most_usd: Decimal = Decimal(0),
    credential: Credential = Credential(),  # noqa: B008  a frozen value
) -> ApiUsageEvent:
    """Commit the row of a call that is about to be made, and set aside `most_usd`, the most it can cost.

    Raises BudgetSpent or Busy, and then nothing is written; RuntimeError inside a transaction.
    """
    now = timezone.now()
    with transaction.atomic(durable=True):
        if provider.kind != Provider.Kind.EXTRACTIVE:
            # The first row it locks lets only one process at a time begin a call to this provider.
            budget.reserve(utc_day(now), provider, purpose, most_usd)
            if is_full(provider):
                raise prompts.Busy(_("%(provider)s has as many calls as it may.") % {"provider": provider.name})
        if credential.key:
            health.use(credential.key)
        return ApiUsageEvent.objects.create(
            started_at=now,
            provider=provider.name,
            model=provider.model,
            api_key_hash=credential.key_hash,
            endpoint=provider.base_url[:200],
            purpose=purpose[:50],
            subject=subject[:100],
            reserved_usd=most_usd,
            extra=extra,
        )


def is_full(provider: Provider) -> bool:
    """Whether the provider has as many calls under way, of all processes, as it may."""
    since = timezone.now() - timedelta(seconds=provider.timeout_seconds) - GRACE
    under_way = ApiUsageEvent.objects.filter(
        provider=provider.name, state=ApiUsageEvent.State.STARTED, started_at__gt=since
    )
    return under_way.count() >= provider.concurrency


def succeed(event: ApiUsageEvent, provider: Provider, reply: Reply, *, latency_ms: int) -> Decimal:
    """Commit that the call was answered: its row and all the totals it belongs to, in one transaction.

    Returns the cost in US dollars. Where the server did not say what it counted, the most it can have cost is booked.
    """
    paid = _cost(provider, reply.tokens_in, reply.tokens_out) if reply.is_metered else event.reserved_usd
    outcome = _Outcome(
        ApiUsageEvent.State.SUCCEEDED,
        latency_ms,
        reply.tokens_in,
        reply.tokens_out,
        paid,
        reply.http_status,
        "" if reply.is_metered or not event.reserved_usd else NO_USAGE,
        reply.extra,
    )
    _complete(event, provider, outcome)
    return paid


def fail(event: ApiUsageEvent, provider: Provider, error: LlmError, *, latency_ms: int) -> None:
    """Commit that the call failed, in its row and in the totals; what its useless answer cost is booked."""
    outcome = _Outcome(
        ApiUsageEvent.State.FAILED,
        latency_ms,
        error.tokens_in,
        error.tokens_out,
        _cost(provider, error.tokens_in, error.tokens_out),
        error.http_status,
        error.code[:100],
        {},
    )
    _complete(event, provider, outcome, error)
    health.sound_alarm(provider, event.api_key_hash, error)


def _cost(provider: Provider, tokens_in: int, tokens_out: int) -> Decimal:
    return cost(tokens_in, tokens_out, price_in=provider.price_in, price_out=provider.price_out)


def _complete(event: ApiUsageEvent, provider: Provider, outcome: _Outcome, error: LlmError | None = None) -> None:
    with transaction.atomic(durable=True):
        # Whatever completes a call twice counts it once.
        if not ApiUsageEvent.objects.filter(pk=event.pk, state=ApiUsageEvent.State.STARTED).update(
            state=outcome.state,
            latency_ms=outcome.latency_ms,
            tokens_in=outcome.tokens_in,
            tokens_out=outcome.tokens_out,
            cost_usd=outcome.cost_usd,
            http_status=outcome.http_status,
            error_code=outcome.error_code,
            extra=event.extra | outcome.extra,
        ):
            return
        _book(event, provider, outcome, error)
    metrics.count(event, outcome.error_code, tokens_in=outcome.tokens_in, tokens_out=outcome.tokens_out)


def _book(event: ApiUsageEvent, provider: Provider, outcome: _Outcome, error: LlmError | None) -> None:
    """All rows that a call is counted in, always in this order, so that no two writers wait for each other."""
    day = utc_day(event.started_at)
    if provider.kind != Provider.Kind.EXTRACTIVE:
        budget.book(day, event.provider, event.purpose, reserved=event.reserved_usd, cost=outcome.cost_usd)
        if error:
            health.failed(provider, event.api_key_hash, error)
        else:
            health.answered(provider, event.api_key_hash)
    ApiUsageDaily.add(
        day,
        event.provider,
        event.model,
        event.api_key_hash,
        requests=event.requests,
        successes=event.requests if outcome.state == ApiUsageEvent.State.SUCCEEDED else 0,
        tokens_in=outcome.tokens_in,
        tokens_out=outcome.tokens_out,
        cost_usd=outcome.cost_usd,
        latency_ms=outcome.latency_ms,
    )
    SessionStatsDaily.add(tokens_in=outcome.tokens_in, tokens_out=outcome.tokens_out)
