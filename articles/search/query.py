"""What a person typed to what is searched. Pure, and total: any text is a query."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from articles.factcheck.words import parses
from articles.search.words import forms, stem

LONGEST_QUERY = 500  # characters
MOST_WORDS = 16
# "идти" has twelve stems (идт, шел, шла …); no word needs more.
MOST_STEMS = 16
# A word, or a phrase in any of the quotation marks people type, and before it perhaps a minus.
PIECE = re.compile(r"""(?:(?<!\S)(?P<minus>[-−–]))?(?:["«“„](?P<phrase>[^"»”“]*)["»”“]?|(?P<word>[^\s"«»“”„]+))""")

# The stems that a word's forms have: one or several, for "день" and "дня" have none in common.
Stems = tuple[str, ...]
# Words that stand side by side; a single word is a phrase of one.
Phrase = tuple[Stems, ...]


@dataclass(frozen=True)
class Query:
    """All of `wanted` and none of `unwanted`. Without either it finds nothing."""

    wanted: tuple[Phrase, ...] = ()
    unwanted: tuple[Phrase, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.wanted or self.unwanted)

    @property
    def wants_phrase(self) -> bool:
        """Whether words must stand side by side."""
        return any(len(phrase) > 1 for phrase in self.wanted)


def parse(text: str) -> Query:
    """Words, "phrases" and -exclusions. What looks like one word and is several (`северо-западный`) is a phrase."""
    wanted, unwanted, left = dict[Phrase, None](), dict[Phrase, None](), MOST_WORDS
    for piece in PIECE.finditer(text[:LONGEST_QUERY]):
        phrase = phrase_of(piece["word"] or piece["phrase"] or "", left)
        left -= len(phrase)
        if phrase:
            (unwanted if piece["minus"] else wanted)[phrase] = None
        if left <= 0:
            break
    return Query(tuple(wanted), tuple(unwanted))


def phrase_of(text: str, most: int = MOST_WORDS) -> Phrase:
    """The words of a text, at most so many, as they are looked for side by side."""
    return tuple(all_stems(form) for form in islice(forms(text), most))


@lru_cache(10_000)
def all_stems(form: str) -> Stems:
    """The stems of all forms of a word in lower case, its own first."""
    return tuple(islice(dict.fromkeys(_stems(form)), MOST_STEMS))


def _stems(form: str) -> Iterator[str]:
    yield stem(form)
    if "а" <= form[0] <= "я":
        readings = [reading for reading in parses(form) if reading.is_known]
        for reading in readings[:1]:
            yield from (stem(each.word.replace("ё", "е")) for each in reading.lexeme if "-" not in each.word)


def is_in(phrase: Phrase, positions: dict[str, list[int]]) -> bool:
    """Whether the words of a phrase stand side by side in a text whose stems have these places."""
    starts = _places(phrase[0], positions)
    for distance, word in enumerate(phrase[1:], start=1):
        starts &= {place - distance for place in _places(word, positions)}
    return bool(starts)


def _places(word: Iterable[str], positions: dict[str, list[int]]) -> set[int]:
    return {place for each in word for place in positions.get(each, ())}
