"""Labelled pairs of invented Russian news: reprints and revisions of a text, and news that only look like it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from articles.duplicates.placing import THRESHOLD
from articles.duplicates.shingles import jaccard, shingles

FILE = Path(__file__).parent.parent / "data" / "duplicates" / "pairs.json"


@dataclass(frozen=True)
class Pair:
    one: str
    other: str
    is_copy: bool
    topic: str

    @property
    def similarity(self) -> float:
        return jaccard(shingles(self.one), shingles(self.other))


@dataclass(frozen=True)
class Score:
    """How many of the pairs are copies, how many of those are told, and how many are told that are none."""

    copies: int
    found: int
    false: int
    pairs: int

    def __str__(self) -> str:
        told = self.found + self.false
        return (
            f"precision {self.found / told if told else 1:.3f}, recall {self.found / self.copies:.3f}"
            f" ({self.copies} copies among {self.pairs} pairs, {self.false} false)"
        )


def pairs(half: str) -> Iterator[Pair]:
    """A text with each of its copies, and every two texts of the half of which neither is a copy of the other."""
    groups = [group for group in json.loads(FILE.read_text()) if group["half"] == half]
    for group in groups:
        for copy in group["copies"]:
            yield Pair(group["text"], copy, True, group["topic"])
    news = [(group["topic"], text) for group in groups for text in (group["text"], *group["lookalikes"])]
    for (topic, one), (_topic, other) in combinations(news, 2):
        yield Pair(one, other, False, topic)


def score(half: str, threshold: float = THRESHOLD) -> Score:
    """How the threshold does on a half of the pairs."""
    listed = list(pairs(half))
    told = [pair for pair in listed if pair.similarity >= threshold]
    found = sum(pair.is_copy for pair in told)
    return Score(sum(pair.is_copy for pair in listed), found, len(told) - found, len(listed))
