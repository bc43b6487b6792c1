"""Invented texts of any number, each unlike every other, and revisions of them."""

from __future__ import annotations

import random

SYLLABLES = (
    "ва",
    "ро",
    "ми",
    "та",
    "ле",
    "ко",
    "на",
    "си",
    "ду",
    "пе",
    "гра",
    "сто",
    "жи",
    "хо",
    "чу",
    "ша",
    "ры",
    "ве",
)


def text(number: int, words: int = 60) -> str:
    """The text of this number."""
    chance = random.Random(number)  # noqa: S311  the same texts each time
    return " ".join("".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))) for _word in range(words))


def revised(original: str, *, kept: float = 0.8, seed: int = 1) -> str:
    """The text with its end written anew: so much of its beginning is kept."""
    words = original.split()
    return " ".join([*words[: round(len(words) * kept)], text(10_000 + seed, round(len(words) * (1 - kept)))])
