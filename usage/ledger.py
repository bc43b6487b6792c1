"""Each call to a provider is written down before it is made and completed after it: a killed one leaves its trace."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import transaction

from usage import metrics
from usage.models import ApiUsageDaily, ApiUsageEvent, Provider, SessionStatsDaily, utc_day
from usage.pricing import cost
from usage.prompts import LlmError, Reply


def begin(provider: Provider, *, purpose: str, subject: str, extra: dict[str, Any]) -> ApiUsageEvent:
    """Commit the row of a call that is about to be made. Raises RuntimeError inside a transaction."""
    with transaction.atomic(durable=True):
        return ApiUsageEvent.objects.create(
            provider=provider.name,
            model=provider.model,
            endpoint=provider.base_url[:200],
            purpose=purpose[:50],
            subject=subject[:100],
            extra=extra,
        )


def succeed(event: ApiUsageEvent, provider: Provider, reply: Reply, *, latency_ms: int) -> None:
    """Commit that the call was answered: its row and all the totals it belongs to, in one transaction."""
    _complete(
        event,
        state=ApiUsageEvent.State.SUCCEEDED,
        latency_ms=latency_ms,
        tokens_in=reply.tokens_in,
        tokens_out=reply.tokens_out,
        cost_usd=cost(reply.tokens_in, reply.tokens_out, price_in=provider.price_in, price_out=provider.price_out),
    )


def fail(event: ApiUsageEvent, error: LlmError, *, latency_ms: int) -> None:
    """Commit that the call failed, in its row and in the totals."""
    _complete(event, state=ApiUsageEvent.State.FAILED, latency_ms=latency_ms, error_code=error.code[:100])


def _complete(
    event: ApiUsageEvent,
    *,
    state: ApiUsageEvent.State,
    latency_ms: int,
    tokens_in: int = 0,
    tokens_out: int = 0,
    cost_usd: Decimal = Decimal(0),
    error_code: str = "",
) -> None:
    with transaction.atomic(durable=True):
        # Whatever completes a call twice counts it once.
        started = ApiUsageEvent.objects.filter(pk=event.pk, state=ApiUsageEvent.State.STARTED)
        if not started.update(
            state=state,
            latency_ms=latency_ms,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cost_usd=cost_usd,
            error_code=error_code,
        ):
            return
        ApiUsageDaily.add(
            utc_day(event.started_at),
            event.provider,
            event.model,
            event.api_key_hash,
            requests=event.requests,
            successes=event.requests if state == ApiUsageEvent.State.SUCCEEDED else 0,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cost_usd=cost_usd,
            latency_ms=latency_ms,
        )
        SessionStatsDaily.add(tokens_in=tokens_in, tokens_out=tokens_out)
    metrics.count(event, tokens_in=tokens_in, tokens_out=tokens_out)
