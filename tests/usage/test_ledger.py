from __future__ import annotations

from decimal import Decimal

import pytest
from prometheus_client import REGISTRY

from usage import ledger
from usage.models import ApiUsageDaily, ApiUsageEvent, Provider
from usage.pricing import cost
from usage.prompts import ProviderFailed, Reply


@pytest.fixture
def provider(db: None) -> Provider:
    return Provider.objects.create(name="metered", kind=Provider.Kind.EXTRACTIVE, model="small")


@pytest.fixture
def event(provider: Provider) -> ApiUsageEvent:
    return ledger.begin(provider, purpose="summary", subject="article:1", extra={})


def test_a_call_is_written_down_before_it_is_made(event: ApiUsageEvent) -> None:
    event.refresh_from_db()

    assert (event.state, event.latency_ms) == (ApiUsageEvent.State.STARTED, None)
    assert not ApiUsageDaily.objects.exists()


def test_a_call_is_counted_once(event: ApiUsageEvent, provider: Provider) -> None:
    ledger.succeed(event, provider, Reply("text", tokens_in=10), latency_ms=5)
    ledger.fail(event, provider, ProviderFailed(), latency_ms=9)

    daily = ApiUsageDaily.objects.get()
    assert (daily.requests, daily.successes, daily.tokens_in, daily.latency_ms) == (1, 1, 10, 5)


def test_a_failure_is_a_request_without_success(event: ApiUsageEvent, provider: Provider) -> None:
    ledger.fail(event, provider, ProviderFailed(), latency_ms=9)

    daily = ApiUsageDaily.objects.get()
    assert (daily.requests, daily.successes) == (1, 0)


def test_completed_calls_are_counted_for_prometheus(event: ApiUsageEvent, provider: Provider) -> None:
    labels = {"provider": "metered", "model": "small"}
    before = REGISTRY.get_sample_value("tokens_consumed_prompt_total", labels) or 0

    ledger.succeed(event, provider, Reply("text", tokens_in=10, tokens_out=4), latency_ms=5)

    assert REGISTRY.get_sample_value("tokens_consumed_prompt_total", labels) == before + 10
    assert REGISTRY.get_sample_value("tokens_consumed_completion_total", labels)
    assert REGISTRY.get_sample_value("llm_requests_by_key_total", {"provider": "metered", "key_id": "none"})


def test_tokens_cost_their_price_to_the_millionth() -> None:
    paid = cost(1_234, 567, price_in=Decimal("0.15"), price_out=Decimal("0.6"))

    assert paid == Decimal("0.000525")
