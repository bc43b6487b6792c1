"""Words and their forms: Russian by its dictionary, English by its endings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from razdel import sentenize

# One character for one, so that every place in the plain text is the same place in the text as it was.
PLAIN = str.maketrans({
    "ё": "е", "Ё": "Е", "\xa0": " ", "\u202f": " ", "\u2009": " ", "\u2007": " ", "−": "-", "‐": "-", "‑": "-",
    "–": "-", "—": "-", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "’": "'",
})  # fmt: skip
WORD = re.compile(r"[^\W\d_]+(?:[-'][^\W_]+)*")
ENDING = re.compile(
    r"(?:ами|ями|ого|его|ому|ему|ыми|ими|ой|ей|ом|ем|ым|им|ую|юю|ая|яя|ое|ее|ые|ие|ых|их|ах|ях|ам|ям|ов|ев"
    r"|а|я|у|ю|е|ы|и|о|ь|й)$"
)
LATIN = re.compile(r"[A-Za-z]")
SHORTEST_STEM = 3
# News tells what matters at the beginning; what lies behind is not looked at.
LONGEST_TEXT = 50_000


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a plain text and its place. `is_first` in its sentence, or in a quotation."""

    text: str
    start: int
    is_first: bool

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def is_capital(self) -> bool:
        return self.text[0].isupper() or any(letter.isupper() for letter in self.text[1:])


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    start: int
    words: tuple[Word, ...]


def plain(text: str) -> str:
    """The beginning of a text with one spelling of spaces, dashes, quotes and ё; places stay what they were."""
    return text[:LONGEST_TEXT].translate(PLAIN)


def sentences(text: str) -> list[Sentence]:
    """The sentences of a plain text, also where a line ends without a full stop."""
    found = []
    for line in re.finditer(r"[^\n]+", text):
        for piece in sentenize(line.group()):
            start = line.start() + piece.start
            found.append(Sentence(piece.text, start, tuple(_words(piece.text, start))))
    return found


def _words(text: str, offset: int) -> Iterator[Word]:
    is_first = True
    for match in WORD.finditer(text):
        before = text[: match.start()].rstrip()
        yield Word(match.group(), offset + match.start(), is_first or before.endswith(('"', ":", "- -")))
        is_first = False


@cache
def _dictionary() -> Any:
    """Read when the first text is checked: a fifth of a second and 20 MB."""
    import pymorphy3  # noqa: PLC0415

    return pymorphy3.MorphAnalyzer()


@lru_cache(maxsize=20_000)
def parses(word: str) -> tuple[Any, ...]:
    """What a Russian word can be, the likeliest first."""
    return tuple(_dictionary().parse(word.lower()))


@lru_cache(maxsize=20_000)
def lemma(word: str) -> str:
    """The dictionary form of a word's likeliest reading."""
    return word.lower() if LATIN.search(word) else str(parses(word)[0].normal_form)


@lru_cache(maxsize=20_000)
def keys(word: str) -> frozenset[str]:
    """What all forms of a word share: its possible dictionary forms, and what is left without an ending."""
    lower = word.lower()
    if LATIN.search(lower):
        return frozenset(
            {lower.removesuffix("'s"), re.sub(r"(?:'s|es|s)$", "", lower) if len(lower) > SHORTEST_STEM else lower}
        )
    stem = ENDING.sub("", lower)
    forms = {str(parse.normal_form).replace("ё", "е") for parse in parses(lower)}
    return frozenset(forms | ({stem} if len(stem) >= SHORTEST_STEM else {lower}))


def is_tagged(word: str, *tags: str) -> bool:
    """Whether the dictionary knows the word as one of these (Name, Surn, Geox, NOUN…), in its likeliest readings."""
    return any(any(tag in parse.tag for tag in tags) for parse in parses(word)[:3] if parse.is_known)
