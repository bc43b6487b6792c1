"""The only door to a language model: it picks who answers, keeps to the budgets and meters every call."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from usage import budget, health, ledger, pricing, prompts
from usage.backends import BACKENDS, Backend
from usage.health import Credential
from usage.models import ApiUsageEvent, Provider, utc_day
from usage.prompts import (
    Call,
    Completion,
    Form,
    LlmError,
    NobodyCapable,
    NoSuchProvider,
    NothingToComplete,
    Prompt,
    ProviderFailed,
    Reply,
    Skipped,
)

__all__ = [
    "Completion",
    "Form",
    "LlmError",
    "NoSuchProvider",
    "NobodyCapable",
    "NothingToComplete",
    "Prompt",
    "ProviderFailed",
    "Skipped",
    "complete",
    "longest_text",
]

logger = logging.getLogger(__name__)

# All attempts of one `complete` together are over by then, in seconds.
DEADLINE = 240.0
# A call that could take no longer than this is not begun.
SHORTEST_CALL = 1.0
# How long a call waits for a free place at a provider, in seconds.
PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class _Request:
    """What one `complete` was asked, and until when (by `time.monotonic`) it must be over."""

    prompt: Prompt
    purpose: str
    subject: str
    backends: Mapping[str, Backend]
    until: float


class _Unexpected(LlmError):
    """A mistake of ours in the middle of a call, or the end of the process: its row must not stay open."""

    code = "unexpected"


def complete(
    prompt: Prompt,
    *,
    purpose: str,
    subject: str = "",
    provider: str = "",
    deadline: float = DEADLINE,
    backends: Mapping[str, Backend] = BACKENDS,
) -> Completion:
    """The answer of the first enabled provider, by priority, that can give one; the offline summariser comes last.

    With `provider` only that one is asked. `purpose` (summary, digest) and `subject` (article:42) go into the ledger,
    where each attempt has its row. Nobody is asked twice: when to try again is up to the caller, who gets an answer or
    an error within `deadline` seconds. Commits, so it must not be called inside a transaction (RuntimeError).
    Raises LlmError.
    """
    if not prompt.text.strip():
        raise NothingToComplete(_("There is no text to work on."))
    request = _Request(prompt, purpose, subject, backends, time.monotonic() + deadline)
    failure: LlmError = ProviderFailed(_("No provider is switched on."))
    for candidate in _capable(_providers(provider), prompt):
        try:
            return _ask(candidate, request)
        except ProviderFailed as error:
            # Who was not even asked has an alert or a state of its own, and would be told of with every call.
            level = logging.INFO if isinstance(error, prompts.Skipped) else logging.WARNING
            logger.log(level, "%s could not answer (%s): %s", candidate.name, error.code, error)
            failure = error
    raise failure


def longest_text() -> int:
    """The longest text, in characters, that every server which may be asked can take; more is condensed by callers."""
    servers = Provider.objects.filter(is_enabled=True).exclude(kind=Provider.Kind.EXTRACTIVE)
    return min([prompts.LONGEST_TEXT, *servers.values_list("context_chars", flat=True)])


def _providers(name: str) -> list[Provider]:
    """Enabled providers by priority. The offline summariser is among them unless somebody has switched it off."""
    known = list(Provider.objects.filter(kind__in=Provider.Kind.values))
    if not any(provider.kind == Provider.Kind.EXTRACTIVE for provider in known):
        known.append(Provider(name="extractive", kind=Provider.Kind.EXTRACTIVE))
    enabled = [provider for provider in known if provider.is_enabled and name in {"", provider.name}]
    if name and not enabled:
        raise NoSuchProvider(_("There is no provider “%(name)s”, or it is switched off.") % {"name": name})
    return enabled


def _capable(providers: list[Provider], prompt: Prompt) -> list[Provider]:
    """Those who can answer the prompt. Raises NobodyCapable."""
    servers = [provider for provider in providers if provider.kind != Provider.Kind.EXTRACTIVE]
    if prompt.form and not servers:
        raise NobodyCapable(_("No language model is switched on, and the offline summariser can't do this."))
    return servers if prompt.form else providers


def _ask(provider: Provider, request: _Request) -> Completion:
    """The provider's answer, with each of its keys in turn where one is refused or has had too much."""
    if provider.kind == Provider.Kind.EXTRACTIVE:
        return _attempt(provider, Credential(), request)
    health.refuse_resting(provider)
    failure: ProviderFailed = prompts.NoUsableKey()
    for credential in health.credentials(provider):
        try:
            return _attempt_in_form(provider, credential, request)
        except (prompts.KeyRefused, prompts.RateLimited) as error:
            failure = error
    raise failure


def _attempt_in_form(provider: Provider, credential: Credential, request: _Request) -> Completion:
    """The answer; a server that knows no JSON schemas is asked once more, with the schema in words alone."""
    try:
        return _attempt(provider, credential, request)
    except prompts.SchemaRefused:
        # Its row says so by now, for everybody who asks it later.
        provider.takes_schema = False
        return _attempt(provider, credential, request)


def _attempt(provider: Provider, credential: Credential, request: _Request) -> Completion:
    event = _begin(provider, credential, request)
    call = Call(credential.secret, _time_for(provider, request), reference=f"warandpeace-{event.pk}")
    began = time.monotonic()
    with _recorded_failure(event, provider, began):
        reply = request.backends[provider.kind](provider, request.prompt, call)
    paid = ledger.succeed(event, provider, reply, latency_ms=_milliseconds_since(began))
    return _completion(event, provider, reply, paid)


def _completion(event: ApiUsageEvent, provider: Provider, reply: Reply, paid: Decimal) -> Completion:
    return Completion(
        text=reply.text,
        provider=provider.name,
        model=provider.model,
        usage_event_id=event.pk,
        tokens_in=reply.tokens_in,
        tokens_out=reply.tokens_out,
        cost_usd=paid,
    )


@contextmanager
def _recorded_failure(event: ApiUsageEvent, provider: Provider, began: float) -> Iterator[None]:
    """Whatever ends the call but an answer is written into its row, also what nobody has thought of."""
    error: LlmError | None = _Unexpected()
    try:
        yield
        error = None
    except LlmError as known:
        error = known
        raise
    finally:
        if error:
            ledger.fail(event, provider, error, latency_ms=_milliseconds_since(began))


def _begin(provider: Provider, credential: Credential, request: _Request) -> ApiUsageEvent:
    """The row of the call, as soon as the provider has a free place. Raises BudgetSpent or Busy."""
    is_offline = provider.kind == Provider.Kind.EXTRACTIVE
    until = min(time.monotonic() + PATIENCE, request.until)
    while True:
        try:
            return ledger.begin(
                provider,
                purpose=request.purpose,
                subject=request.subject,
                extra={"prompt": request.prompt.version},
                most_usd=Decimal(0) if is_offline else _most(provider, request.prompt),
                credential=credential,
            )
        except prompts.Busy:
            _wait_for_place(provider, until)
        except prompts.BudgetSpent as error:
            budget.tell_of_refusal(provider, error, utc_day(timezone.now()))
            raise


def _most(provider: Provider, prompt: Prompt) -> Decimal:
    """The most a call can cost: every byte a token, and the longest answer the server is allowed."""
    tokens_in = pricing.most_tokens_in(prompt)
    return pricing.cost(tokens_in, provider.max_tokens_out, price_in=provider.price_in, price_out=provider.price_out)


def _wait_for_place(provider: Provider, until: float) -> None:
    """Return when the provider seems to have a free place. Raises Busy after `until`."""
    pause = 0.02
    while time.monotonic() < until:
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  no secret depends on it
        if not ledger.is_full(provider):
            return
        pause = min(pause * 1.5, 0.5)
    raise prompts.Busy(_("%(provider)s has as many calls as it may.") % {"provider": provider.name})


def _time_for(provider: Provider, request: _Request) -> float:
    """Seconds the call may take: the provider's own timeout, cut by what is left of the whole."""
    return max(min(float(provider.timeout_seconds), request.until - time.monotonic()), SHORTEST_CALL)


def _milliseconds_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
