"""What is asked of a language model, what comes back, and what can go wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request for a text.

    `instructions` are ours and obeyed; `title` and `text` come from outside and are data, whatever they say.
    `language` is a two-letter code or empty (told from the text), `max_chars` bounds the answer, and `version` names
    the instructions, so that a result can be traced to them.
    """

    instructions: str
    text: str
    max_chars: int
    version: str
    title: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a backend gives back: the text, and the tokens it was paid for (0 where nothing is paid)."""

    text: str
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer, who gave it, and the row of the ledger that metered it."""

    text: str
    provider: str
    model: str
    usage_event_id: int
    tokens_in: int
    tokens_out: int


class LlmError(Exception):
    """No answer.

    LlmError
      ├ NothingToComplete   the prompt holds no text to work on; no provider can help
      └ ProviderFailed      one provider could not answer; the next one is asked

    `code` is short and stable: it goes into the ledger and the dead letters.
    """

    code = "llm_error"


class NothingToComplete(LlmError):
    code = "nothing_to_complete"


class ProviderFailed(LlmError):
    code = "provider_failed"
