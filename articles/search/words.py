"""Texts to the stems by which they are found: one analysis for both databases and for what is marked on a page. Pure.

PostgreSQL's own analysis would lower-case by the cluster's locale and SQLite's knows no Russian; so neither is used,
and a word is the same everywhere.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import snowballstemmer

WORD = re.compile(r"[^\W_]+")
LONGEST_WORD = 40  # characters; what is longer is no word and is cut
# A text repeats its words, and so do texts: this many forms are most of what newspapers write.
FORMS_REMEMBERED = 200_000

# They stand in nearly every text, so they are neither indexed nor searched: to a phrase they are air.
STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
    а без более бы был была были было быть в во вот все всех вы да для до его ее если есть же за и из или им их к как
    ко который когда ли мы на над не нет но о об он она они от по под при с со так также то того тоже только у уже что
    чтобы эта эти это этого этот я
    a an and are as at be but by for from had has have he his in is it its not of on or that the this to was were
    which will with
    """,
    )
)

# The stress mark, which dictionaries and some newspapers write, and the soft hyphen.
UNWRITTEN = str.maketrans({"ё": "е", "\u0301": None, "\u00ad": None})


class Word(NamedTuple):
    """A word of a text: its stem and where it stands."""

    stem: str
    start: int
    end: int


def forms(text: str) -> Iterator[str]:
    """The words of a text in lower case, without the stop words."""
    return (form[:LONGEST_WORD] for form in WORD.findall(_plain(text)) if form not in STOP_WORDS)


def stems(text: str, most: int) -> list[str]:
    """The stems of a text's first words, at most so many of them, without the stop words."""
    return [stem(form) for form in islice(forms(text), most)]


def words(text: str, letters: tuple[str, ...]) -> Iterator[Word]:
    """The words of a text as it is written that begin with one of these letters, each with its place.

    There are no stop words among them. The text is read as far as words are asked for.
    """
    for match in _as_written(letters).finditer(text):
        written = _plain(match[0])
        for part in WORD.finditer(written):
            form = part[0]
            if form.startswith(letters) and form not in STOP_WORDS:
                is_whole = len(form) == len(written)
                start = match.start() + (0 if is_whole else part.start())
                yield Word(stem(form[:LONGEST_WORD]), start, match.end() if is_whole else start + len(form))


# As it is written a word may hold marks that `_plain` takes out or joins with their letter.
MARKS = r"\u0300-\u036f\u00ad"


@lru_cache(1_000)
def _as_written(letters: tuple[str, ...]) -> re.Pattern[str]:
    """Words that begin with one of these letters, written either way, and a few more. Most words need no other look."""
    first = {written for letter in letters for written in (letter, unicodedata.normalize("NFD", letter)[0])}
    first |= {"ё"} if "е" in letters else set()
    either = "".join(sorted(first | {letter.upper() for letter in first}))
    return re.compile(rf"[{re.escape(either)}](?<![^\W_].)(?<![{MARKS}].)(?:[^\W_]|[{MARKS}])*", re.DOTALL)


@lru_cache(FORMS_REMEMBERED)
def stem(form: str) -> str:
    """The stem of a word in lower case: by Snowball's Russian rules if it is Cyrillic, by its English ones if Latin."""
    if "а" <= form[0] <= "я":
        return str(_stemmers.russian.stemWord(form))
    return str(_stemmers.english.stemWord(form)) if "a" <= form[0] <= "z" else form


class _Stemmers(threading.local):
    """Each thread has its own: a stemmer works on itself."""

    def __init__(self) -> None:
        self.russian = snowballstemmer.stemmer("russian")
        self.english = snowballstemmer.stemmer("english")


_stemmers = _Stemmers()


def _plain(text: str) -> str:
    """In lower case, letters and their marks joined, without what is written only now and then."""
    return unicodedata.normalize("NFC", text.lower()).translate(UNWRITTEN)
