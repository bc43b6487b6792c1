"""The only door to a language model: it picks who answers and meters every call."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from django.utils.translation import gettext as _

from usage import ledger
from usage.backends import BACKENDS, Backend
from usage.models import Provider
from usage.prompts import Completion, LlmError, NothingToComplete, Prompt, ProviderFailed

__all__ = ["Completion", "LlmError", "NothingToComplete", "Prompt", "ProviderFailed", "complete"]

logger = logging.getLogger(__name__)


def complete(
    prompt: Prompt, *, purpose: str, subject: str = "", backends: Mapping[str, Backend] = BACKENDS
) -> Completion:
    """The answer of the first enabled provider, by priority, that can give one; the offline summariser comes last.

    `purpose` (summary, digest) and `subject` (article:42) go into the ledger, where each attempt has its row.
    Commits, so it must not be called inside a transaction (RuntimeError). Raises LlmError.
    """
    if not prompt.text.strip():
        raise NothingToComplete(_("There is no text to work on."))
    failure: LlmError = ProviderFailed()
    for provider in _providers():
        try:
            return _attempt(backends[provider.kind], provider, prompt, purpose, subject)
        except ProviderFailed as error:
            logger.warning("%s could not answer (%s): %s", provider.name, error.code, error)
            failure = error
    raise failure


def _providers() -> list[Provider]:
    """Enabled providers by priority. The offline summariser is always among them, even if its row was deleted."""
    providers = list(Provider.objects.filter(is_enabled=True))
    if not any(provider.kind == Provider.Kind.EXTRACTIVE for provider in providers):
        providers.append(Provider(name="extractive", kind=Provider.Kind.EXTRACTIVE))
    return providers


def _attempt(backend: Backend, provider: Provider, prompt: Prompt, purpose: str, subject: str) -> Completion:
    event = ledger.begin(provider, purpose=purpose, subject=subject, extra={"prompt": prompt.version})
    began = time.monotonic()
    try:
        reply = backend(provider, prompt)
    except LlmError as error:
        ledger.fail(event, error, latency_ms=_milliseconds_since(began))
        raise
    ledger.succeed(event, provider, reply, latency_ms=_milliseconds_since(began))
    return Completion(
        text=reply.text,
        provider=provider.name,
        model=provider.model,
        usage_event_id=event.pk,
        tokens_in=reply.tokens_in,
        tokens_out=reply.tokens_out,
    )


def _milliseconds_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
