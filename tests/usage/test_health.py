"""Which key is asked, and what its failures lead to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client import REGISTRY

from tests.fakes.llm_server import Fault, LlmServer
from tests.usage.conftest import SECRET
from usage import clocks, llm
from usage.environment import key_hash
from usage.health import LONGEST_REST, PATIENCE
from usage.models import Alert, ApiKey, ApiUsageEvent, Provider
from usage.prompts import Prompt

PROMPT = Prompt(instructions="", text="Порт вырос на 12%.", max_chars=900, version="test-1")
ONE, TWO = "key-number-one", "key-number-two"

pytestmark = pytest.mark.django_db


def ask(provider: str = "gemini") -> llm.Completion:
    return llm.complete(PROMPT, purpose="summary", provider=provider)


def key(secret: str) -> ApiKey:
    return ApiKey.objects.get(key_hash=key_hash(secret))


def asked(server: LlmServer) -> list[str]:
    return [request.key for request in server.requests]


def test_keys_take_turns(server: LlmServer, provider_of: Callable[..., Provider]) -> None:
    provider_of(ONE, TWO)

    for _ in range(4):
        ask()

    assert asked(server) == [ONE, TWO, ONE, TWO]
    assert (key(ONE).request_count, key(ONE).failure_count) == (2, 0)
    assert key(ONE).last_good_at is not None


def test_a_key_that_fails_comes_last(server: LlmServer, provider_of: Callable[..., Provider]) -> None:
    provider_of(ONE, TWO)
    ApiKey.objects.filter(key_hash=key_hash(ONE)).update(consecutive_failures=1)

    for _ in range(3):
        ask()

    assert asked(server) == [TWO, TWO, TWO]


def test_a_flooded_key_rests_and_the_next_one_answers(server: LlmServer, provider_of: Callable[..., Provider]) -> None:
    provider_of(ONE, TWO)
    server.refuse(ONE, Fault.FLOOD)
    before = timezone.now()

    ask(), ask()

    assert asked(server) == [ONE, TWO, TWO]
    until = key(ONE).cooling_down_until
    assert until is not None
    assert before + timedelta(seconds=7) <= until <= timezone.now() + timedelta(seconds=7)
    assert list(ApiUsageEvent.objects.order_by("pk").values_list("error_code", flat=True)) == ["rate_limited", "", ""]


def test_a_key_rests_longer_each_time(server: LlmServer, provider_of: Callable[..., Provider]) -> None:
    provider_of(ONE)
    server.always(Fault.FLOOD_WITHOUT_TIME)
    pauses = []
    for _ in range(3):
        with pytest.raises(llm.ProviderFailed):
            ask()
        pauses.append(round(((key(ONE).cooling_down_until or timezone.now()) - timezone.now()).total_seconds()))
        ApiKey.objects.update(cooling_down_until=None)

    assert pauses == [30, 60, 120]


def test_a_rested_key_is_asked_again_without_probing(server: LlmServer, provider_of: Callable[..., Provider]) -> None:
    provider_of(ONE)
    ApiKey.objects.update(cooling_down_until=timezone.now() + timedelta(minutes=1), consecutive_failures=3)
    with pytest.raises(llm.ProviderFailed):
        ask()
    assert not server.requests

    ApiKey.objects.update(cooling_down_until=timezone.now())
    ask()

    assert len(server.requests) == 1
    assert (key(ONE).consecutive_failures, key(ONE).cooling_down_until) == (0, None)


@pytest.mark.parametrize("fault", [Fault.UNAUTHORIZED, Fault.FORBIDDEN, Fault.BAD_KEY])
def test_a_refused_key_is_switched_off_with_an_alert(
    fault: Fault, server: LlmServer, provider_of: Callable[..., Provider], caplog: pytest.LogCaptureFixture
) -> None:
    provider_of(SECRET, TWO)
    server.refuse(SECRET, fault)
    before = REGISTRY.get_sample_value("alerts_total", {"code": "key_refused"}) or 0

    ask(), ask()

    assert asked(server) == [SECRET, TWO, TWO]
    assert not key(SECRET).is_enabled
    alert = Alert.objects.get()
    assert (alert.code, alert.subject) == ("key_refused", f"gemini:{key_hash(SECRET)[:8]}")
    assert "key_refused" in caplog.text
    assert REGISTRY.get_sample_value("alerts_total", {"code": "key_refused"}) == before + 1
    assert SECRET not in caplog.text + alert.text


def test_a_key_that_a_person_has_switched_off_is_not_asked(
    server: LlmServer, provider_of: Callable[..., Provider]
) -> None:
    provider_of(ONE, TWO)
    ApiKey.objects.filter(key_hash=key_hash(ONE)).update(is_enabled=False)

    ask(), ask()

    assert asked(server) == [TWO, TWO]


@pytest.mark.parametrize("fault", [Fault.REGION, Fault.COUNTRY])
def test_a_blocked_region_skips_the_provider_and_keeps_its_keys(
    fault: Fault, server: LlmServer, provider_of: Callable[..., Provider]
) -> None:
    provider_of(ONE, TWO)
    server.always(fault)

    first, second = ask(""), ask("")

    assert (first.provider, second.provider) == ("extractive", "extractive")
    assert len(server.requests) == 1
    assert key(ONE).is_enabled
    assert key(TWO).is_enabled
    assert Alert.objects.get().code == "region_blocked"


def test_a_provider_that_keeps_failing_rests(server: LlmServer, provider_of: Callable[..., Provider]) -> None:
    provider_of(ONE)
    server.always(Fault.OVERLOADED)

    for _ in range(PATIENCE + 3):
        assert ask("").provider == "extractive"

    assert len(server.requests) == PATIENCE
    gemini = Provider.objects.get(name="gemini")
    assert gemini.skipped_until is not None
    assert gemini.skipped_until - timezone.now() < LONGEST_REST


def test_a_provider_that_rests_is_an_alert_until_it_answers(
    server: LlmServer, provider_of: Callable[..., Provider]
) -> None:
    provider_of(ONE)
    server.will(*[Fault.OVERLOADED] * PATIENCE)
    silent = Alert.objects.open().filter(code=Alert.Code.MODEL_SILENT)

    for _ in range(PATIENCE):
        ask("")
    told = silent.count()
    Provider.objects.update(skipped_until=timezone.now())
    ask()

    assert (told, silent.count()) == (1, 0)


def test_an_answer_ends_the_rest(server: LlmServer, provider_of: Callable[..., Provider]) -> None:
    provider_of(ONE)
    Provider.objects.filter(name="gemini").update(
        consecutive_failures=9, skipped_until=timezone.now(), skip_reason="no luck"
    )

    ask()

    gemini = Provider.objects.get(name="gemini")
    assert (gemini.consecutive_failures, gemini.skipped_until, gemini.skip_reason) == (0, None, "")


def test_a_key_that_is_new_in_the_environment_is_used(
    server: LlmServer, provider_of: Callable[..., Provider], settings: pytest.FixtureRequest
) -> None:
    provider_of(ONE)
    settings.GOOGLE_API_KEYS = [TWO]  # type: ignore[attr-defined]

    ask()

    assert asked(server) == [TWO]
    assert key(TWO).request_count == 1


def test_a_clock_that_was_wrong_lets_no_key_rest_longer(
    server: LlmServer, provider_of: Callable[..., Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    provider_of(ONE)
    later = timezone.now() + timedelta(hours=1)
    server.will(Fault.FLOOD)
    with monkeypatch.context() as ahead, pytest.raises(llm.ProviderFailed):
        ahead.setattr(timezone, "now", lambda: later)
        ask()

    assert clocks.mend() == 1

    assert clocks.mend() == 0
    assert ask().provider == "gemini"


def test_a_clock_that_was_wrong_lets_no_provider_rest_longer(provider_of: Callable[..., Provider]) -> None:
    now = timezone.now()
    Provider.objects.create(name="lost", consecutive_failures=PATIENCE, skipped_until=now + timedelta(hours=1))
    Provider.objects.create(name="blocked", skipped_until=now + timedelta(hours=6))

    assert clocks.mend() == 1

    assert Provider.objects.filter(name="lost", skipped_until__lte=timezone.now()).exists()
