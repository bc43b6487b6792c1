"""A text as the set of its three-word runs, and how much two texts share. Pure."""

from __future__ import annotations

import re
from collections.abc import Set

WORDS = re.compile(r"\w+")
RUN = 3
# Of a longer text only the beginning is compared: a copy of it begins alike.
MOST_WORDS = 5_000


def words(text: str) -> list[str]:
    """The words of a text, without case, ё and punctuation."""
    return WORDS.findall(text.casefold().replace("ё", "е"))[:MOST_WORDS]


def shingles(text: str) -> set[str]:
    """All runs of three words in a text."""
    listed = words(text)
    return {" ".join(run) for run in zip(listed, listed[1:], listed[2:], strict=False)}


def jaccard(one: Set[str], other: Set[str]) -> float:
    """What two sets share, of all they hold together: from 0 to 1. Two empty sets share nothing."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0
