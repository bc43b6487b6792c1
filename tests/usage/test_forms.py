"""Answers in a form: servers are held to a JSON schema where they know one, and asked in words where they don't."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fakes.llm_server import Fault, LlmServer
from tests.usage.conftest import SECRET
from usage import llm, pricing
from usage.models import ApiUsageEvent, Provider
from usage.prompts import Form, Prompt

FORM = Form("verdict", {"type": "object", "properties": {"вывод": {"type": "string"}}})
PROMPT = Prompt(instructions="Judge.", text="Порт вырос на 12%.", max_chars=900, version="test-1", form=FORM)

pytestmark = pytest.mark.django_db


def ask(prompt: Prompt = PROMPT) -> llm.Completion:
    return llm.complete(prompt, purpose="forecast")


def test_a_server_is_held_to_the_schema(server: LlmServer, provider_of: Callable[..., Provider]) -> None:
    provider_of(SECRET)

    ask()

    held = server.requests[0].body["response_format"]
    assert held["type"] == "json_schema"
    assert held["json_schema"] == {"name": "verdict", "strict": True, "schema": FORM.schema}


def test_the_schema_is_among_the_instructions_and_not_in_the_data() -> None:
    system, data = PROMPT.messages()

    assert '"вывод":{"type":"string"}' in system["content"]
    assert "вывод" not in data["content"]


def test_prompts_without_a_form_ask_for_none(server: LlmServer, provider_of: Callable[..., Provider]) -> None:
    provider_of(SECRET)

    ask(Prompt(instructions="Judge.", text="Порт вырос.", max_chars=900, version="test-1"))

    assert "response_format" not in server.requests[0].body


def test_a_server_that_knows_no_schemas_is_asked_in_words(
    server: LlmServer, provider_of: Callable[..., Provider]
) -> None:
    provider_of(SECRET)
    server.will(Fault.NO_SCHEMA)

    completion = ask()

    assert completion.provider == "gemini"
    assert ["response_format" in request.body for request in server.requests] == [True, False]
    assert list(ApiUsageEvent.objects.order_by("pk").values_list("error_code", flat=True)) == ["schema_refused", ""]


def test_it_is_remembered_and_is_no_failure_of_the_provider(
    server: LlmServer, provider_of: Callable[..., Provider]
) -> None:
    provider_of(SECRET)
    server.will(Fault.NO_SCHEMA)
    ask()

    ask()

    assert ["response_format" in request.body for request in server.requests] == [True, False, False]
    assert Provider.objects.filter(takes_schema=False, consecutive_failures=0, skipped_until=None).exists()


def test_other_refusals_are_not_taken_for_it(server: LlmServer, provider_of: Callable[..., Provider]) -> None:
    provider_of(SECRET)
    server.will(Fault.BAD_REQUEST)

    with pytest.raises(llm.ProviderFailed):
        ask()

    assert Provider.objects.get(name="gemini").takes_schema
    assert len(server.requests) == 1


def test_the_offline_summariser_is_not_asked(server: LlmServer, provider_of: Callable[..., Provider]) -> None:
    provider_of(SECRET)
    server.always(Fault.OVERLOADED)

    with pytest.raises(llm.ProviderFailed):
        ask()

    assert set(ApiUsageEvent.objects.values_list("provider", flat=True)) == {"gemini"}


@pytest.mark.parametrize("name", ["", "extractive"])
def test_with_nobody_but_the_offline_summariser_it_says_so(name: str) -> None:
    with pytest.raises(llm.NobodyCapable, match="офлайновый пересказ"):
        llm.complete(PROMPT, purpose="forecast", provider=name)

    assert not ApiUsageEvent.objects.exists()


def test_the_most_it_can_cost_counts_the_schema_twice() -> None:
    sent = sum(len(message["content"].encode()) for message in PROMPT.messages())

    assert pricing.most_tokens_in(PROMPT) == pricing.FRAME + sent + len(FORM.as_json().encode())
