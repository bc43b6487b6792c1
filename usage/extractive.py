"""Summaries made of an article's own sentences: offline, the same each time, and unable to invent anything.

TextRank (Mihalcea and Tarau, 2004) finds the sentences that share most with the others; the beginning counts more,
because news begins with what happened.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from usage.languages import language_of, stemmer
from usage.sentences import Sentence, clean, sentences

# A post is long enough from here on (characters).
TARGET = 650
# Shorter texts stay one paragraph.
SHORTEST_OF_TWO_PARAGRAPHS = 250
# A sentence that shares more than this part of its stems with a chosen one says nothing new.
SAME = 0.6
DAMPING = 0.85
ROUNDS = 30
PRECISE_ENOUGH = 1e-4


class NothingToSummarise(ValueError):
    """The text holds no words."""


def summarise(text: str, *, title: str = "", language: str = "", max_chars: int = 900) -> str:
    """A post of one or two paragraphs, at most `max_chars` long, of whole sentences of `text` in their order.

    Only where no sentence fits is one cut, at a word, and marked with an ellipsis. Sentences that repeat `title` are
    left out. `language` (ru, en) is told from the text if empty. Raises NothingToSummarise.
    """
    return _laid_out(choose(text, title=title, language=language, max_chars=max_chars))


def choose(text: str, *, title: str = "", language: str = "", max_chars: int = 900) -> list[str]:
    """The sentences of the summary, in order."""
    readable = clean(text)
    stem = stemmer(language or language_of(readable))
    found = sentences(readable, title=title, stem=stem) or sentences(readable, title="", stem=stem)
    if not found:
        raise NothingToSummarise("The text holds no words.")
    best_first = sorted(zip(_scores(found), found, strict=True), key=lambda pair: (-pair[0], pair[1].place))
    chosen = _fitting([sentence for _, sentence in best_first], max_chars)
    if not chosen:
        return [_cut(best_first[0][1].text, max_chars)]
    return [sentence.text for sentence in sorted(chosen, key=lambda sentence: sentence.place)]


def _scores(found: Sequence[Sentence]) -> list[float]:
    """How much each sentence belongs into a summary: its rank, its place and its own worth."""
    ranks = _ranks(found)
    average = sum(ranks) / len(ranks)
    return [
        rank / average * (1 + 2.5 * math.exp(-sentence.place / 2)) * sentence.worth
        for rank, sentence in zip(ranks, found, strict=True)
    ]


def _ranks(found: Sequence[Sentence]) -> list[float]:
    """TextRank: the stationary weights of a walk between sentences along the words they share."""
    links: list[list[tuple[int, float]]] = [[] for _ in found]
    for left, one in enumerate(found):
        for right in range(left):
            if weight := _similarity(one.stems, found[right].stems):
                links[left].append((right, weight))
                links[right].append((left, weight))
    sums = [sum(weight for _, weight in row) for row in links]
    ranks = [1.0] * len(found)
    for _ in range(ROUNDS):
        renewed = [
            1 - DAMPING + DAMPING * sum(ranks[other] * weight / sums[other] for other, weight in row) for row in links
        ]
        moved = max(abs(new - old) for new, old in zip(renewed, ranks, strict=True))
        ranks = renewed
        if moved < PRECISE_ENOUGH:
            break
    return ranks


def _similarity(one: frozenset[str], other: frozenset[str]) -> float:
    # One more than in the paper, so that two sentences of a single word each do not divide by zero.
    return len(one & other) / (math.log(len(one) + 1) + math.log(len(other) + 1))


def _fitting(best_first: Sequence[Sentence], max_chars: int) -> list[Sentence]:
    """The best sentences that fit together and do not repeat each other, until there are enough."""
    chosen: list[Sentence] = []
    places: set[int] = set()
    length = 0
    for sentence in best_first:
        # Two, for what separates it from its neighbour: a space, or the empty line between the paragraphs.
        longer = length + len(sentence.text) + (2 if chosen else 0)
        is_understood = not sentence.leans or sentence.place == 0 or sentence.place - 1 in places
        if longer <= max_chars and is_understood and not any(_repeats(sentence, other) for other in chosen):
            chosen.append(sentence)
            places.add(sentence.place)
            length = longer
        if length >= TARGET:
            break
    return chosen


def _repeats(one: Sentence, other: Sentence) -> bool:
    return len(one.stems & other.stems) > SAME * min(len(one.stems), len(other.stems))


def _cut(sentence: str, max_chars: int) -> str:
    room = sentence[: max_chars - 1]
    whole_words = room.rpartition(" ")[0] if " " in room else room
    return f"{whole_words.rstrip(' ,;:—–-')}…"[:max_chars]


def _laid_out(chosen: Sequence[str]) -> str:
    """Two paragraphs, the break where it leaves them most alike in length."""
    whole = " ".join(chosen)
    if len(chosen) == 1 or len(whole) < SHORTEST_OF_TWO_PARAGRAPHS:
        return whole
    lengths = [len(" ".join(chosen[:count])) for count in range(1, len(chosen))]
    first = 1 + min(range(len(lengths)), key=lambda index: abs(2 * lengths[index] - len(whole)))
    return " ".join(chosen[:first]) + "\n\n" + " ".join(chosen[first:])
