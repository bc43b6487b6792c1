from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection

from tests.fakes.llm_server import Fault, LlmServer
from usage import budget, llm, pricing
from usage.models import Alert, ApiUsageEvent, Provider, PurposeBudget, Spending, utc_day
from usage.prompts import Prompt

PROMPT = Prompt(instructions="Summarise.", text="Порт вырос на 12%.", max_chars=900, version="test-1")
# What the server counts for each answer costs so much at the prices of `provider_of`.
COST = Decimal("0.002")
NOTHING = Decimal(0)


def ask(purpose: str = "summary", provider: str = "") -> llm.Completion:
    return llm.complete(PROMPT, purpose=purpose, provider=provider)


def spending(purpose: str = "") -> tuple[Decimal, Decimal]:
    row = Spending.objects.get(provider="gemini", purpose=purpose)
    return row.spent_usd, row.reserved_usd


@pytest.mark.django_db
def test_a_call_is_booked_for_the_day_and_for_its_purpose(provider_of: Callable[..., Provider]) -> None:
    provider_of("a-key")

    ask("summary"), ask("digest")

    assert (spending(), spending("summary"), spending("digest")) == (
        (2 * COST, NOTHING),
        (COST, NOTHING),
        (COST, NOTHING),
    )


@pytest.mark.django_db
def test_a_failed_call_gives_back_what_it_reserved(server: LlmServer, provider_of: Callable[..., Provider]) -> None:
    provider_of("a-key", daily_budget=1)
    server.always(Fault.OVERLOADED)

    ask()

    assert spending() == (NOTHING, NOTHING)


@pytest.mark.django_db
def test_what_is_reserved_is_never_less_than_the_cost(server: LlmServer, provider_of: Callable[..., Provider]) -> None:
    gemini = provider_of("a-key")
    prompt = Prompt(instructions="", text="Щ" * 5_000, max_chars=900, version="test-1")

    assert pricing.most_tokens_in(prompt) >= 10_000
    llm.complete(prompt, purpose="summary", provider="gemini")

    reserved = ApiUsageEvent.objects.get().reserved_usd
    assert reserved >= pricing.cost(10_000, gemini.max_tokens_out, price_in=gemini.price_in, price_out=gemini.price_out)


@pytest.mark.django_db
def test_a_spent_budget_is_left_to_the_next_provider(server: LlmServer, provider_of: Callable[..., Provider]) -> None:
    provider_of("a-key", daily_budget=Decimal("0.001"))

    assert [ask().provider for _ in range(3)] == ["extractive"] * 3

    assert not server.requests
    assert not Spending.objects.exists()


@pytest.mark.django_db
def test_a_spent_budget_is_told_once_a_day(provider_of: Callable[..., Provider]) -> None:
    provider_of("a-key", daily_budget=Decimal("0.001"))

    ask(), ask()

    assert budget.exhausted(utc_day(datetime.now(UTC))) == ["gemini"]
    alert = Alert.objects.get()
    assert (alert.code, alert.count) == ("budget_spent", 1)
    assert alert.subject == f"gemini {utc_day(datetime.now(UTC))}"


@pytest.mark.django_db
def test_a_purpose_may_have_its_own_budget(provider_of: Callable[..., Provider]) -> None:
    PurposeBudget.objects.create(provider=provider_of("a-key"), purpose="digest", daily_budget=0)

    assert ask("digest").provider == "extractive"
    assert ask("summary").provider == "gemini"
    assert spending() == (COST, NOTHING)


@pytest.mark.django_db
def test_standings_say_what_is_left(provider_of: Callable[..., Provider]) -> None:
    gemini = provider_of("a-key", daily_budget=5)
    PurposeBudget.objects.create(provider=gemini, purpose="summary", daily_budget=Decimal("0.002"))
    Provider.objects.create(name="off", kind=Provider.Kind.OPENAI, daily_budget=0, is_enabled=False)
    ApiUsageEvent.objects.all().delete()
    Spending.objects.create(day=utc_day(datetime.now(UTC)), provider="gemini", spent_usd=COST)
    Spending.objects.create(day=utc_day(datetime.now(UTC)), provider="gemini", purpose="summary", reserved_usd=COST)

    found = budget.standings(utc_day(datetime.now(UTC)))

    assert [(one.purpose, one.limit, one.used) for one in found] == [("", 5, COST), ("summary", COST, COST)]


@pytest.mark.django_db(transaction=True)
def test_eight_workers_do_not_overspend(server: LlmServer, provider_of: Callable[..., Provider]) -> None:
    gemini = provider_of("a-key", max_tokens_out=500)
    each = pricing.cost(pricing.most_tokens_in(PROMPT), 500, price_in=gemini.price_in, price_out=gemini.price_out)
    Provider.objects.filter(pk=gemini.pk).update(daily_budget=each * 5 + each / 2)
    server.count(pricing.most_tokens_in(PROMPT), 500)

    def work(_number: int) -> None:
        ask()
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(24)))

    assert server.book.answered == 5
    assert spending() == (5 * each, NOTHING)
