"""Which language a text is in, and the stems of its words that carry meaning: Russian and English."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import snowballstemmer

WORD = re.compile(r"\w+")
CYRILLIC = re.compile(r"[А-Яа-яЁё]")
LATIN = re.compile(r"[A-Za-z]")
# A few thousand letters tell; a book need not be read for it.
SAMPLE = 5_000
LONGEST_WORD = 40

# Words that tell nothing of what a text is about; with е for ё, as everything here.
RUSSIAN = """
    а без более бы был была были было быть в вам вас весь во вот все всего всех вы где да даже для до его ее если
    есть еще же за здесь и из или им их к как ко когда кто ли либо между меня мне может мы на над надо наш не него
    нее нет ни них но ну о об однако он она они оно от очень по под после при про с сам свой свои своей своего себя
    со так также такой там те тем то того тоже той только том ты у уже хотя чего чей чем что чтобы чье чья эта эти это
    этого этой этом этот этим я который которая которое которые которого которой которых которым
"""
ENGLISH = """
    a about after all also an and any are as at be been before but by can could did do does for from had has have he her
    his how i if in into is it its just like may more most no not of on only or other our out over she should so some
    such than that the their them then there these they this those to up was we were what when which while who will with
    would you your
"""
STOPWORDS = frozenset(RUSSIAN.split() + ENGLISH.split())


def language_of(text: str) -> str:
    """`ru` or `en` by the letters of the text's beginning; an empty string where neither alphabet is used."""
    sample = text[:SAMPLE]
    cyrillic, latin = len(CYRILLIC.findall(sample)), len(LATIN.findall(sample))
    if not cyrillic and not latin:
        return ""
    return "ru" if cyrillic >= latin else "en"


def stemmer(language: str) -> Callable[[str], str]:
    """Maps a lower-case word to its stem; words of other languages stay as they are.

    Each caller gets its own: snowball's stemmers keep the word they work on in themselves, and workers have threads.
    """
    if language not in {"ru", "en"}:
        return str
    snowball = snowballstemmer.stemmer({"ru": "russian", "en": "english"}[language])
    return cache(snowball.stemWord)


def stems(text: str, stem: Callable[[str], str]) -> frozenset[str]:
    """The stems of the words that carry meaning, or of all words where none does; numbers stay as they are."""
    words = [word[:LONGEST_WORD] for word in WORD.findall(text.lower().replace("ё", "е"))]
    telling = [word for word in words if word not in STOPWORDS]
    return frozenset(map(stem, telling or words))
