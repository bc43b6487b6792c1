"""One call to a server that speaks as OpenAI's does. Imported with the first call: the client takes a second."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any

import httpx2
import openai
from django.utils.translation import gettext as _

from usage import connections, prompts, transport
from usage.models import Provider
from usage.prompts import Call, Prompt, ProviderFailed, Reply
from usage.retrying import read_retry_after

CONNECT_TIMEOUT = 10.0  # seconds
OK, UNAUTHORIZED, FORBIDDEN, TOO_MANY, FAILURE = 200, 401, 403, 429, 500

# "User location is not supported for the API use." (Gemini), "unsupported_country_region_territory" (OpenAI).
REGION = re.compile(r"location is not supported|unsupported_country|country, region,? or territory", re.IGNORECASE)
# Gemini says of a wrong key that the request is a bad one.
BAD_KEY = re.compile(r"api key not valid|api_key_invalid", re.IGNORECASE)
# Servers that know no JSON schemas name what they do not know.
NO_SCHEMA = re.compile(r"response_?format|json_?schema|structured.?output", re.IGNORECASE)
# No counter of tokens is larger than this; what a server says beyond is nonsense.
MOST_TOKENS = 10_000_000


def answer(provider: Provider, prompt: Prompt, call: Call) -> Reply:
    """Ask the provider's server once. Raises one of the ProviderFailed family."""
    clock = connections.deadline.set(time.monotonic() + call.timeout)
    try:
        raw = _client(provider, call).chat.completions.with_raw_response.create(
            model=provider.model,
            messages=prompt.messages(),  # type: ignore[arg-type]
            max_tokens=provider.max_tokens_out,
            temperature=0.2,
            response_format=_response_format(provider, prompt),
            extra_headers={"X-Client-Request-Id": call.reference} | _no_key(call),
        )
    except openai.APIStatusError as error:
        raise _status_error(error, in_form=_is_held_to_form(provider, prompt)) from None
    except openai.APITimeoutError:
        raise prompts.TimedOut(_("No whole answer came within %(seconds)d seconds.") % _seconds(call)) from None
    except openai.APIConnectionError as error:
        raise _connection_error(error) from None
    finally:
        connections.deadline.reset(clock)
    return read(raw.http_response.content)


def _client(provider: Provider, call: Call) -> openai.OpenAI:
    return openai.OpenAI(
        # Without any the client would look for one in the environment; the header is left out then.
        api_key=call.secret or "none",
        base_url=provider.base_url,
        max_retries=0,
        timeout=httpx2.Timeout(call.timeout, connect=CONNECT_TIMEOUT),
        http_client=transport.client(),
        # Whatever the environment holds of an account with OpenAI concerns no other server.
        default_headers={"OpenAI-Organization": openai.Omit(), "OpenAI-Project": openai.Omit()},  # type: ignore[dict-item]
    )


def _is_held_to_form(provider: Provider, prompt: Prompt) -> bool:
    return prompt.form is not None and provider.takes_schema


def _response_format(provider: Provider, prompt: Prompt) -> Any:
    """How the server is held to the form of the answer, where there is one and the server knows such a thing."""
    if prompt.form is None or not provider.takes_schema:
        return openai.omit
    form = {"name": prompt.form.name, "strict": True, "schema": prompt.form.schema}
    return {"type": "json_schema", "json_schema": form}


def _no_key(call: Call) -> dict[str, Any]:
    return {} if call.secret else {"Authorization": openai.Omit()}


def _seconds(call: Call) -> dict[str, int]:
    return {"seconds": round(call.timeout)}


def read(body: bytes) -> Reply:
    """The reply in a body of status 200. Raises one of the BadReply family."""
    answer = _json(body)
    usage = answer.get("usage")
    tokens_in, tokens_out = _counted(usage, "prompt_tokens"), _counted(usage, "completion_tokens")
    try:
        text, reason = _content(answer.get("choices"))
    except prompts.BadReply as error:
        error.http_status, error.tokens_in, error.tokens_out = OK, tokens_in, tokens_out
        raise
    model = answer.get("model")
    return Reply(
        text,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        is_metered=bool(tokens_in or tokens_out),
        http_status=OK,
        extra={"finish_reason": reason, "model": model[:100] if isinstance(model, str) else ""},
    )


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        begins = body.lstrip()[:1]
        error: prompts.BadReply = prompts.NotJson(_("The server answered with something else than JSON."))
        if begins == b"{":
            error = prompts.BrokenJson(_("The server's JSON breaks off."))
        error.http_status = OK
        raise error from None
    if not isinstance(found, dict):
        error = prompts.NotJson(_("The server answered with something else than JSON."))
        error.http_status = OK
        raise error
    return found


def _counted(usage: Any, name: str) -> int:
    value = usage.get(name) if isinstance(usage, Mapping) else None
    return value if isinstance(value, int) and 0 <= value <= MOST_TOKENS else 0


def _content(choices: Any) -> tuple[str, str]:
    """The text of the first choice, and why the model stopped."""
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise prompts.NoChoices(_("The server's answer holds no choice."))
    message, reason = choices[0].get("message"), str(choices[0].get("finish_reason") or "")[:40]
    content = message.get("content") if isinstance(message, dict) else None
    if reason == "content_filter":
        raise prompts.AnswerFiltered(_("The server's filter held the answer back."))
    if reason == "length":
        raise prompts.AnswerCutOff(_("The answer is longer than the provider's limit of tokens and breaks off."))
    if not isinstance(content, str) or not content.strip():
        raise prompts.NoContent(_("The server's answer holds no text."))
    return content, reason


def _connection_error(error: openai.APIConnectionError) -> ProviderFailed:
    if isinstance(error.__cause__, transport.TooLarge):
        return prompts.ReplyTooLarge(_("The answer is larger than %(limit)d bytes.") % {"limit": transport.MAX_BYTES})
    return prompts.Unreachable(_("The server cannot be reached, or broke off."))


def _status_error(error: openai.APIStatusError, *, in_form: bool) -> ProviderFailed:
    """A status other than 2xx as one of our errors. The server's words are not repeated: they may hold anything."""
    status, words = error.status_code, json.dumps(error.body, default=str)[:10_000]
    failure = _failure_of(status, words)
    if in_form and type(failure) is prompts.RequestRefused and NO_SCHEMA.search(words):
        failure = prompts.SchemaRefused(_("The server knows no JSON schemas (%(status)d).") % {"status": status})
    failure.http_status = status
    if isinstance(failure, prompts.RateLimited):
        failure.retry_after = read_retry_after(error.response.headers.get("retry-after", ""))
    return failure


def _failure_of(status: int, words: str) -> ProviderFailed:
    if REGION.search(words):
        return prompts.RegionBlocked(_("The provider does not serve this region (%(status)d).") % {"status": status})
    if status in {UNAUTHORIZED, FORBIDDEN} or BAD_KEY.search(words):
        return prompts.KeyRefused(_("The server refuses the key (%(status)d).") % {"status": status})
    if status == TOO_MANY:
        return prompts.RateLimited(_("The server asks for fewer requests (429)."))
    if status >= FAILURE:
        return prompts.ServerFailed(_("The server has a problem of its own (%(status)d).") % {"status": status})
    return prompts.RequestRefused(_("The server refuses the request (%(status)d).") % {"status": status})
