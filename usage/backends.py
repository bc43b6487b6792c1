"""How each kind of provider answers a prompt."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _

from usage import extractive
from usage.models import Provider
from usage.prompts import NothingToComplete, Prompt, Reply

# Raises LlmError and nothing else where it cannot answer; called with no transaction open.
Backend = Callable[[Provider, Prompt], Reply]


def answer_offline(_provider: Provider, prompt: Prompt) -> Reply:
    """A summary of the prompt's text made of its own sentences; needs no key and costs nothing."""
    try:
        summary = extractive.summarise(
            prompt.text, title=prompt.title, language=prompt.language, max_chars=prompt.max_chars
        )
    except extractive.NothingToSummarise as error:
        raise NothingToComplete(_("The text holds no words.")) from error
    return Reply(summary)


BACKENDS: Mapping[str, Backend] = {
    Provider.Kind.EXTRACTIVE: answer_offline,
}
