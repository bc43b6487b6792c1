"""How each kind of provider answers a prompt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from django.utils.translation import gettext as _

from usage import extractive
from usage.models import Provider
from usage.prompts import Call, NothingToComplete, Prompt, Reply

# Raises LlmError and nothing else where it cannot answer; called with no transaction open.
Backend = Callable[[Provider, Prompt, Call], Reply]


def answer_offline(_provider: Provider, prompt: Prompt, _call: Call) -> Reply:
    """A summary of the prompt's text made of its own sentences; needs no key and costs nothing."""
    try:
        summary = extractive.summarise(
            prompt.text, title=prompt.title, language=prompt.language, max_chars=prompt.max_chars
        )
    except extractive.NothingToSummarise as error:
        raise NothingToComplete(_("The text holds no words.")) from error
    return Reply(summary)


def answer_by_server(provider: Provider, prompt: Prompt, call: Call) -> Reply:
    """The answer of an OpenAI-compatible server."""
    # Not above: whoever only migrates or serves pages need not wait a second for the client.
    reply: Reply = import_module("usage.openai_server").answer(provider, prompt, call)
    return reply


BACKENDS: Mapping[str, Backend] = {
    Provider.Kind.OPENAI: answer_by_server,
    Provider.Kind.EXTRACTIVE: answer_offline,
}
