"""What tokens cost, and what a prompt will."""

from __future__ import annotations

import math
from decimal import Decimal

from usage.prompts import Prompt

MILLION = Decimal(1_000_000)
# The ledger keeps millionths of a dollar.
SMALLEST = Decimal("0.000001")

# List prices of a million tokens in and out, in US dollars, for a provider's first row. People keep them up to date.
LISTED = {
    "gemini-2.5-flash": (Decimal("0.30"), Decimal("2.50")),
    "gemini-2.5-flash-lite": (Decimal("0.10"), Decimal("0.40")),
    "gemini-2.5-pro": (Decimal("1.25"), Decimal("10")),
    "mistral-small-latest": (Decimal("0.10"), Decimal("0.30")),
    "mistral-large-latest": (Decimal("2"), Decimal("6")),
    "gpt-4o-mini": (Decimal("0.15"), Decimal("0.60")),
    "gpt-4o": (Decimal("2.50"), Decimal("10")),
}

# A token of Russian news is about three letters long, one of English about four.
CHARACTERS_OF_TOKEN = 3
# What a server adds around the messages, in tokens.
FRAME = 64


def cost(tokens_in: int, tokens_out: int, *, price_in: Decimal, price_out: Decimal) -> Decimal:
    """The cost in US dollars; prices are in US dollars for a million tokens."""
    return ((tokens_in * price_in + tokens_out * price_out) / MILLION).quantize(SMALLEST)


def most_tokens_in(prompt: Prompt) -> int:
    """What no tokeniser exceeds: a token is at least one byte."""
    # A schema is sent a second time by itself, and some servers count it again.
    form = len(prompt.form.as_json().encode()) if prompt.form else 0
    return FRAME + form + sum(len(message["content"].encode()) for message in prompt.messages())


def likely_tokens(characters: int, max_chars: int) -> tuple[int, int]:
    """About how many tokens go in for a text and its instructions of so many characters, and come out."""
    return math.ceil(characters / CHARACTERS_OF_TOKEN), math.ceil(max_chars / CHARACTERS_OF_TOKEN)
