"""What comes back from a server, and what never does: each fault has its name, its row and its end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import pytest
from django.apps import apps

from tests.fakes.llm_server import TEXT, Fault, LlmServer
from tests.people import signed_in
from tests.usage.conftest import SECRET
from usage import llm, openai_server, transport
from usage.models import ApiUsageEvent, Provider
from usage.prompts import Prompt, ProviderFailed
from usage.retrying import read_retry_after

PROMPT = Prompt(instructions="Summarise.", text="Порт вырос на 12%.", title="Порт", max_chars=900, version="test-1")

pytestmark = pytest.mark.django_db


def ask() -> llm.Completion:
    return llm.complete(PROMPT, purpose="summary", subject="article:1", provider="gemini")


def event() -> ApiUsageEvent:
    return ApiUsageEvent.objects.get()


def test_an_answer_is_metered(provider_of: Callable[..., Provider]) -> None:
    provider_of(SECRET)

    completion = ask()

    assert (completion.text, completion.provider, completion.model) == (TEXT, "gemini", "flash")
    assert (completion.tokens_in, completion.tokens_out, completion.cost_usd) == (1_000, 500, Decimal("0.002"))
    assert (event().state, event().http_status, event().cost_usd) == ("succeeded", 200, Decimal("0.002"))
    assert event().extra == {"prompt": "test-1", "finish_reason": "stop", "model": "flash"}


def test_the_server_gets_the_prompt_and_the_key(server: LlmServer, provider_of: Callable[..., Provider]) -> None:
    provider_of(SECRET, max_tokens_out=700)

    ask()

    request = server.requests[0]
    assert (request.key, request.reference) == (SECRET, f"warandpeace-{event().pk}")
    assert (request.body["model"], request.body["max_tokens"]) == ("flash", 700)
    assert request.body["messages"] == PROMPT.messages()


def test_a_server_without_keys_gets_none(server: LlmServer, provider_of: Callable[..., Provider]) -> None:
    provider_of()

    ask()

    assert not {"Authorization", "authorization"} & set(server.requests[0].headers)
    assert event().api_key_hash == ""


def test_nothing_of_an_account_goes_to_other_servers(
    server: LlmServer, provider_of: Callable[..., Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    provider_of(SECRET)

    ask()

    assert "org-secret" not in str(server.requests[0].headers)


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        (Fault.NO_CHOICES, "no_choices", 200),
        (Fault.NULL_CONTENT, "no_content", 200),
        (Fault.CUT_OFF, "answer_cut_off", 200),
        (Fault.FILTERED, "answer_filtered", 200),
        (Fault.HTML, "not_json", 200),
        (Fault.LIST, "not_json", 200),
        (Fault.TRUNCATED, "broken_json", 200),
        (Fault.HUGE, "reply_too_large", None),
        (Fault.CLOSED, "unreachable", None),
        (Fault.REDIRECT, "request_refused", 302),
        (Fault.BAD_REQUEST, "request_refused", 400),
        (Fault.BAD_KEY, "key_refused", 400),
        (Fault.UNAUTHORIZED, "key_refused", 401),
        (Fault.FORBIDDEN, "key_refused", 403),
        (Fault.REGION, "region_blocked", 400),
        (Fault.COUNTRY, "region_blocked", 403),
        (Fault.FLOOD, "rate_limited", 429),
        (Fault.BROKEN, "server_failed", 500),
        (Fault.OVERLOADED, "server_failed", 503),
    ],
)
def test_each_fault_has_its_name_and_its_row(
    fault: Fault, code: str, status: int | None, server: LlmServer, provider_of: Callable[..., Provider]
) -> None:
    provider_of(SECRET)
    server.will(fault)

    with pytest.raises(ProviderFailed) as caught:
        ask()

    assert caught.value.code == code
    assert (event().state, event().error_code, event().http_status) == ("failed", code, status)
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", [Fault.DRIP, Fault.SILENCE])
def test_no_server_holds_us_longer_than_its_timeout(
    fault: Fault, server: LlmServer, provider_of: Callable[..., Provider]
) -> None:
    provider_of(SECRET, timeout_seconds=1)
    server.will(fault)

    with pytest.raises(ProviderFailed):
        ask()

    assert event().error_code == "timed_out"
    assert (event().latency_ms or 0) >= 900


def test_nobody_listens(provider_of: Callable[..., Provider]) -> None:
    provider_of(SECRET)
    Provider.objects.filter(name="gemini").update(base_url="http://127.0.0.1:1/v1")

    with pytest.raises(ProviderFailed):
        ask()

    assert event().error_code == "unreachable"


@pytest.mark.parametrize("fault", [Fault.NO_CHOICES, Fault.NULL_CONTENT, Fault.CUT_OFF, Fault.FILTERED])
def test_a_useless_answer_is_paid_for_and_booked(
    fault: Fault, server: LlmServer, provider_of: Callable[..., Provider]
) -> None:
    provider_of(SECRET)
    server.will(fault)

    with pytest.raises(ProviderFailed):
        ask()

    assert (event().tokens_in, event().tokens_out, event().cost_usd) == (1_000, 500, Decimal("0.002"))


def test_what_is_not_counted_is_booked_at_its_most(server: LlmServer, provider_of: Callable[..., Provider]) -> None:
    provider_of(SECRET)
    server.will(Fault.NO_USAGE)

    completion = ask()

    assert completion.text == TEXT
    assert (event().state, event().error_code, event().tokens_in) == ("succeeded", "no_usage", 0)
    assert event().cost_usd == event().reserved_usd > 0


@pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.UNAUTHORIZED, Fault.HTML, None])
def test_the_secret_is_in_no_row_error_or_log(
    fault: Fault | None, server: LlmServer, provider_of: Callable[..., Provider], caplog: pytest.LogCaptureFixture
) -> None:
    provider_of(SECRET)
    caplog.set_level(logging.DEBUG)
    server.will(fault)
    raised = ""
    try:
        ask()
    except ProviderFailed as error:
        raised = f"{error!r} {error.__cause__!r}"

    rows = [list(model._default_manager.values()) for model in apps.get_models()]

    assert server.requests[0].key == SECRET
    assert SECRET not in caplog.text + str(rows) + raised


@pytest.mark.parametrize("path", ["provider/", "apiusageevent/", "apiusagedaily/", "alert/"])
def test_the_secret_is_on_no_page(path: str, server: LlmServer, provider_of: Callable[..., Provider]) -> None:
    provider_of(SECRET)
    server.will(Fault.UNAUTHORIZED)
    with pytest.raises(ProviderFailed):
        ask()

    page = signed_in("operator").get(f"/admin/usage/{path}")

    assert page.status_code == 200
    assert SECRET not in page.content.decode()


@pytest.mark.parametrize(
    "body", [b"", b"null", b"\xff\xfe", b"{" * 50_000, b'{"choices": {"0": 1}}', b'{"choices":[7]}']
)
def test_nonsense_is_a_bad_reply(body: bytes) -> None:
    with pytest.raises(ProviderFailed):
        openai_server.read(body)


@pytest.mark.parametrize(
    "usage", ["7", '{"prompt_tokens": "many"}', '{"prompt_tokens": -5}', '{"prompt_tokens": 1e99}']
)
def test_nonsense_is_not_counted(usage: str) -> None:
    body = f'{{"choices": [{{"message": {{"content": "Порт."}}}}], "usage": {usage}}}'

    reply = openai_server.read(body.encode())

    assert (reply.tokens_in, reply.is_metered) == (0, False)


def test_a_reply_is_bounded_well_below_twenty_megabytes() -> None:
    assert transport.MAX_BYTES < 20_000_000


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), (" 0 ", 0), ("999999999999", 86_400), ("soon", None), ("", None), ("Sun, 06 Nov 1994 08:49:37 GMT", 0)],
)
def test_retry_after_is_understood(value: str, seconds: int | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)

    assert read_retry_after(value) == expected


def test_retry_after_may_be_a_date() -> None:
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1))

    found = read_retry_after(in_an_hour)

    assert found is not None
    assert timedelta(minutes=58) < found <= timedelta(hours=1)
