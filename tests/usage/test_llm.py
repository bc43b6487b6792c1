from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from usage import llm
from usage.backends import BACKENDS, Backend
from usage.models import ApiUsageDaily, ApiUsageEvent, Provider, SessionStatsDaily
from usage.prompts import Call, Reply

PROMPT = llm.Prompt(instructions="Summarise.", text="Порт вырос на 12%.", max_chars=900, version="test-1")
OFFLINE = Provider.Kind.EXTRACTIVE
SUMS = ("tokens_in", "tokens_out", "cost_usd", "latency_ms")


def provider(name: str, **fields: object) -> Provider:
    return Provider.objects.create(name=name, kind=OFFLINE, **fields)


def answering(*, failing: set[str]) -> dict[str, Backend]:
    """Backends that answer with the provider's name, but for those that fail."""

    def answer(asked: Provider, _prompt: llm.Prompt, _call: Call) -> Reply:
        if asked.name in failing:
            raise llm.ProviderFailed("no luck")
        return Reply(asked.name, tokens_in=1_000, tokens_out=500)

    return {OFFLINE: answer}


@pytest.mark.django_db
def test_without_any_provider_the_offline_summariser_answers() -> None:
    Provider.objects.all().delete()

    completion = llm.complete(PROMPT, purpose="summary")

    assert (completion.text, completion.provider) == ("Порт вырос на 12%.", "extractive")


@pytest.mark.django_db
def test_the_offline_summariser_is_there_from_the_start() -> None:
    seeded = Provider.objects.get()

    assert (seeded.name, seeded.kind, seeded.is_enabled) == ("extractive", OFFLINE, True)


@pytest.mark.django_db
def test_the_smallest_priority_is_asked_first() -> None:
    provider("late", priority=20)
    provider("early", priority=10)

    completion = llm.complete(PROMPT, purpose="summary", backends=answering(failing=set()))

    assert completion.provider == "early"


@pytest.mark.django_db
def test_a_disabled_provider_is_not_asked() -> None:
    provider("off", priority=1, is_enabled=False)

    completion = llm.complete(PROMPT, purpose="summary", backends=answering(failing=set()))

    assert completion.provider == "extractive"


@pytest.mark.django_db
def test_who_fails_is_followed_by_the_next() -> None:
    provider("first", priority=1)

    completion = llm.complete(PROMPT, purpose="summary", subject="article:7", backends=answering(failing={"first"}))

    assert completion.provider == "extractive"
    calls = ApiUsageEvent.objects.order_by("pk").values_list("provider", "state", "error_code", "subject")
    assert list(calls) == [
        ("first", "failed", "provider_failed", "article:7"),
        ("extractive", "succeeded", "", "article:7"),
    ]


@pytest.mark.django_db
def test_when_all_fail_the_last_failure_is_told() -> None:
    with pytest.raises(llm.ProviderFailed, match="no luck"):
        llm.complete(PROMPT, purpose="summary", backends=answering(failing={"extractive"}))


@pytest.mark.django_db
def test_an_empty_text_is_refused_before_anybody_is_asked() -> None:
    with pytest.raises(llm.NothingToComplete):
        llm.complete(llm.Prompt("Summarise.", " \n", 900, "test-1"), purpose="summary")

    assert not ApiUsageEvent.objects.exists()


@pytest.mark.django_db
def test_a_text_without_words_is_a_failed_call() -> None:
    with pytest.raises(llm.NothingToComplete):
        llm.complete(llm.Prompt("Summarise.", "!!!", 900, "test-1"), purpose="summary")

    assert ApiUsageEvent.objects.get().error_code == "nothing_to_complete"


@pytest.mark.django_db
def test_an_answer_is_in_the_ledger_with_its_cost() -> None:
    provider("paid", priority=1, price_in=Decimal("0.1"), price_out=Decimal("0.4"), model="flash")

    completion = llm.complete(PROMPT, purpose="summary", backends=answering(failing=set()))

    event = ApiUsageEvent.objects.get()
    assert event.pk == completion.usage_event_id
    assert (event.purpose, event.model, event.cost_usd) == ("summary", "flash", Decimal("0.0003"))
    daily = ApiUsageDaily.objects.get()
    assert (daily.model, daily.requests, daily.successes, daily.cost_usd) == ("flash", 1, 1, Decimal("0.0003"))


@pytest.mark.django_db(transaction=True)
def test_nobody_is_asked_inside_a_transaction() -> None:
    backend = Shaky()

    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        llm.complete(PROMPT, purpose="summary", backends={OFFLINE: backend})

    assert next(backend.numbers) == 1


class Shaky:
    """A backend that fails each third call to the provider `shaky`, and counts them all."""

    def __init__(self) -> None:
        self.numbers = count(1)  # next() on it is atomic

    def __call__(self, asked: Provider, _prompt: llm.Prompt, _call: Call) -> Reply:
        number = next(self.numbers)
        if asked.name == "shaky" and number % 3 == 0:
            raise llm.ProviderFailed("no luck")
        return Reply("text", tokens_in=number, tokens_out=7)

    def call_many(self, _writer: int) -> None:
        for _ in range(20):
            llm.complete(PROMPT, purpose="summary", backends={OFFLINE: self})
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_the_ledger_is_exact_with_eight_writers_and_faults() -> None:
    provider("shaky", priority=1, price_in=Decimal("0.3"), price_out=Decimal("1.7"))
    provider("steady", priority=2)
    backend = Shaky()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(backend.call_many, range(8)))

    made = next(backend.numbers) - 1
    assert made == ApiUsageEvent.objects.count() == ApiUsageDaily.objects.aggregate(n=Sum("requests"))["n"]
    for daily in ApiUsageDaily.objects.all():
        events = ApiUsageEvent.objects.filter(provider=daily.provider)
        assert daily.successes == events.filter(state=ApiUsageEvent.State.SUCCEEDED).count()
        for name in SUMS:
            assert getattr(daily, name) == sum(events.values_list(name, flat=True)), name
    assert SessionStatsDaily.objects.get().tokens_out == 8 * 20 * 7


HANGING_CALL = """
import sys, time
import django
from django.conf import settings

settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()

from usage import llm

def hang(*_args):
    print("calling", flush=True)
    time.sleep(600)

llm.complete(llm.Prompt("Summarise.", "Text.", 900, "test-1"), purpose="summary", backends={"extractive": hang})
"""


@pytest.mark.django_db(transaction=True)
def test_a_killed_call_leaves_its_row() -> None:
    command = [sys.executable, "-c", HANGING_CALL, str(connection.settings_dict["NAME"])]
    with subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stdout.readline() == "calling\n"

        child.kill()

    event = ApiUsageEvent.objects.get()
    assert (event.state, event.provider) == (ApiUsageEvent.State.STARTED, "extractive")
    assert not ApiUsageDaily.objects.exists()


@pytest.mark.django_db
def test_a_provider_can_be_asked_by_name() -> None:
    provider("early", priority=10)
    provider("late", priority=20)

    completion = llm.complete(PROMPT, purpose="summary", provider="late", backends=answering(failing=set()))

    assert completion.provider == "late"


@pytest.mark.django_db
def test_nobody_steps_in_for_a_provider_that_was_named() -> None:
    provider("late", priority=20)

    with pytest.raises(llm.ProviderFailed):
        llm.complete(PROMPT, purpose="summary", provider="late", backends=answering(failing={"late"}))


@pytest.mark.django_db
def test_a_provider_that_is_off_or_unknown_cannot_be_named() -> None:
    provider("off", is_enabled=False)

    for name in ("off", "nobody"):
        with pytest.raises(llm.NoSuchProvider):
            llm.complete(PROMPT, purpose="summary", provider=name)


@pytest.mark.django_db
def test_the_offline_summariser_can_be_switched_off() -> None:
    Provider.objects.update(is_enabled=False)

    with pytest.raises(llm.ProviderFailed):
        llm.complete(PROMPT, purpose="summary")


@pytest.mark.django_db
def test_a_row_of_a_kind_we_have_never_known_is_passed_over() -> None:
    Provider.objects.create(name="strange", kind="telepathy", priority=1)

    completion = llm.complete(PROMPT, purpose="summary")

    assert completion.provider == "extractive"
    assert not ApiUsageEvent.objects.filter(provider="strange").exists()


@pytest.mark.django_db
def test_a_mistake_of_ours_leaves_no_row_open() -> None:
    def stumble(_provider: Provider, _prompt: llm.Prompt, _call: Call) -> Reply:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        llm.complete(PROMPT, purpose="summary", backends={OFFLINE: stumble})

    event = ApiUsageEvent.objects.get()
    assert (event.state, event.error_code) == ("failed", "unexpected")
    assert ApiUsageDaily.objects.get().requests == 1


@pytest.mark.django_db
def test_no_more_calls_at_once_than_a_provider_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Provider.objects.create(name="small", kind=Provider.Kind.OPENAI, priority=1, concurrency=1)
    monkeypatch.setattr(llm, "PATIENCE", 0.05)
    ApiUsageEvent.objects.create(provider="small")

    busy = llm.complete(PROMPT, purpose="summary", backends={**BACKENDS, Provider.Kind.OPENAI: say_yes})
    ApiUsageEvent.objects.update(started_at=timezone.now() - timedelta(seconds=server.timeout_seconds + 60))
    free = llm.complete(PROMPT, purpose="summary", backends={**BACKENDS, Provider.Kind.OPENAI: say_yes})

    assert (busy.provider, free.provider) == ("extractive", "small")


def say_yes(_provider: Provider, _prompt: llm.Prompt, _call: Call) -> Reply:
    return Reply("yes")
