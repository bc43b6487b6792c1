"""Which sentence of the source each sentence of a summary leans on."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from articles.factcheck.words import Sentence
from usage.languages import stemmer, stems

# Below this a sentence shares too little with any other to lean on it.
WEAKEST = 0.2


@dataclass(frozen=True, slots=True)
class Link:
    """A sentence of the summary and the number of the source's sentence it leans on (-1: none), with their likeness."""

    start: int
    end: int
    source: int
    likeness: float


def link(summary: list[Sentence], source: list[Sentence], language: str) -> list[Link]:
    """For each sentence of the summary the closest one of the source: by the words they share, rare ones first."""
    stem = stemmer(language)
    told = [stems(sentence.text, stem) for sentence in source]
    spread = Counter(word for words in told for word in words)
    return [_closest(sentence, stems(sentence.text, stem), told, spread) for sentence in summary]


def _closest(sentence: Sentence, words: frozenset[str], told: list[frozenset[str]], spread: Counter[str]) -> Link:
    weights = {word: math.log(1 + len(told) / (1 + spread[word])) + 0.1 for word in words}
    whole = sum(weights.values()) or 1.0
    likeness = [sum(weights[word] for word in words & other) / whole for other in told]
    best = max(range(len(told)), key=likeness.__getitem__, default=-1)
    strength = likeness[best] if best >= 0 else 0.0
    end = sentence.start + len(sentence.text)
    return Link(sentence.start, end, best if strength >= WEAKEST else -1, round(strength, 3))
