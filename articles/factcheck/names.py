"""Names in a summary: people, places, organisations, designations. Is each in the source, and in the same part?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from articles.factcheck.words import Sentence, Word, is_tagged, keys, lemma, parses

NAME_TAGS = ("Name", "Surn", "Patr", "Geox", "Orgn", "Trad", "Abbr")
PERSON_TAGS = ("Name", "Surn", "Patr")
# What the same thing is also called; the beginnings of words in lower case.
ALIASES = (
    ("рф", "росси"),
    ("сша", "америк", "штат", "вашингтон"),
    ("ес", "евросоюз", "европейск"),
    ("оон", "объединенн"),
    ("цб", "центробанк", "центральн", "банк росс", "регулятор"),
    ("китай", "китайск", "кнр"),
    ("германи", "немец", "фрг"),
    ("великобритани", "британ", "английск"),
    ("франци", "француз"),
    ("петербург", "санкт-петербург"),
    ("минобороны", "министерств"),
    ("госдум", "дум"),
    ("мосбирж", "московск"),
)
MINISTRY = re.compile(r"(?:мин|рос|гос)[а-я]{3,}")
SHORTEST_BEGINNING = 4


@dataclass(frozen=True, slots=True)
class _Deed:
    """Who did what to whom, as far as the order of words and their cases tell."""

    who: frozenset[str]
    verb: str
    whom: frozenset[str]


class Source:
    """What of an article is looked up again and again."""

    def __init__(self, text: str, sentences: list[Sentence]) -> None:
        self.text = text.lower()
        self.words = [word for sentence in sentences for word in sentence.words]
        self.keys = frozenset(key for word in self.words for key in keys(word.text))
        self.lower = frozenset(word.text.lower() for word in self.words)
        self.pairs = [(keys(one.text), keys(other.text)) for one, other in _neighbours(text, self.words)]
        self.deeds = [deed for sentence in sentences for deed in _deeds(sentence)]


def unsupported(summary: str, sentences: list[Sentence], source: Source) -> Iterator[Word]:
    """The names that the source lacks, or has in another part: another role, another first name, the other side."""
    for sentence in sentences:
        for place, word in enumerate(sentence.words):
            following = sentence.words[place + 1] if place + 1 < len(sentence.words) else None
            if is_name(word, following) and not _is_known(word, sentence.words[place:], source):
                yield word
        yield from _misattributed(summary, sentence, source)
        yield from _exchanged(sentence, source)


def is_name(word: Word, following: Word | None = None) -> bool:
    """Whether a word names something; the first of a sentence only if it can hardly be anything else."""
    if not word.is_capital or len(word.text) == 1:
        return False
    if not word.is_first or any(letter.isupper() or letter.isdigit() for letter in word.text[1:]):
        return True
    if is_tagged(word.text, *NAME_TAGS):
        common = [parse for parse in parses(word.text)[:2] if not any(tag in parse.tag for tag in NAME_TAGS)]
        return not common or bool(following and following.is_capital)
    return not any(parse.is_known for parse in parses(word.text)) and not word.text.lower().isascii()


def _is_known(word: Word, rest: tuple[Word, ...], source: Source) -> bool:
    if keys(word.text) & source.keys or word.text.lower() in source.lower:
        return True
    lower = word.text.lower()
    if any(character.isdigit() for character in word.text):
        return lower in source.text
    parts = word.text.split("-")
    if len(parts) > 1 and all(keys(part) & source.keys for part in parts):
        return True
    return _is_abbreviation(word.text, source) or _is_spelt_out(rest, source) or _has_alias(word.text, source)


def _is_abbreviation(text: str, source: Source) -> bool:
    """МВФ where the source writes "Международный валютный фонд"."""
    if not text.isupper():
        return False
    initials = "".join(word.text[0].lower() for word in source.words if len(word.text) > 1)
    return text.lower() in initials


def _is_spelt_out(rest: tuple[Word, ...], source: Source) -> bool:
    """ "Международный валютный фонд" where the source writes МВФ."""
    initials = "".join(word.text[0].lower() for word in rest)
    return any(
        initials[:length] in source.lower
        for length in range(2, min(len(initials), 6) + 1)
        if _is_upper(initials[:length], source)
    )


def _is_upper(letters: str, source: Source) -> bool:
    return any(word.text.isupper() and word.text.lower() == letters for word in source.words)


def _has_alias(text: str, source: Source) -> bool:
    lower = text.lower()
    for group in ALIASES:
        if any(lower == name or (len(name) > 3 and lower.startswith(name)) for name in group):  # noqa: PLR2004
            return any(re.search(rf"\b{re.escape(name)}", source.text) for name in group)
    if MINISTRY.fullmatch(lower):
        return False
    if is_tagged(text, "Geox"):
        beginning = lemma(text)[: max(SHORTEST_BEGINNING, len(lemma(text)) - 2)]
        return any(word.startswith(beginning) for word in source.lower)
    return False


# --- the right name in the wrong part ---------------------------------------------------------------------------------


def _neighbours(text: str, words: Iterable[Word]) -> Iterator[tuple[Word, Word]]:
    """Pairs of words with nothing but a space between them."""
    for one, other in pairwise(words):
        if text[one.end : other.start] == " ":
            yield one, other


def _misattributed(summary: str, sentence: Sentence, source: Source) -> Iterator[Word]:
    """ "Министр Петров" where the source has a minister Ivanov; "Иван Петров" where Petrov's name is Алексей."""
    for one, other in _neighbours(summary, sentence.words):
        if not (other.is_capital and is_tagged(other.text, *PERSON_TAGS)):
            continue
        is_role = not one.is_capital or (one.is_first and is_tagged(one.text, "NOUN"))
        if not is_tagged(one.text, "NOUN", *PERSON_TAGS):
            continue
        left, right = keys(one.text), keys(other.text)
        if not right & source.keys or any(left & a and right & b for a, b in source.pairs):
            continue
        others = [b for a, b in source.pairs if left & a and _is_person(b, source)]
        rivals = [a for a, b in source.pairs if right & b and _is_alike(a, source, is_role=is_role)]
        if others and (rivals or is_role):
            yield other


def _is_person(form: frozenset[str], source: Source) -> bool:
    return any(
        word.is_capital and is_tagged(word.text, *PERSON_TAGS) for word in source.words if keys(word.text) == form
    )


def _is_alike(form: frozenset[str], source: Source, *, is_role: bool) -> bool:
    return any(word.is_capital != is_role for word in source.words if keys(word.text) == form)


def _exchanged(sentence: Sentence, source: Source) -> Iterator[Word]:
    """ "Петров обогнал Иванова" where it was the other way round."""
    for deed in _deeds(sentence):
        as_told = any(
            deed.verb == other.verb and deed.who & other.who and deed.whom & other.whom for other in source.deeds
        )
        reversed_ = any(
            deed.verb == other.verb and deed.who & other.whom and deed.whom & other.who for other in source.deeds
        )
        if reversed_ and not as_told:
            yield from (word for word in sentence.words if word.is_capital and keys(word.text) & (deed.who | deed.whom))


def _deeds(sentence: Sentence) -> Iterator[_Deed]:
    words = sentence.words
    for place, word in enumerate(words):
        if word.is_capital or "VERB" not in parses(word.text)[0].tag:
            continue
        before = next((one for one in reversed(words[max(place - 4, 0) : place]) if _is_actor(one)), None)
        after = next((one for one in words[place + 1 : place + 5] if _is_actor(one)), None)
        if before and after:
            who, whom = (after, before) if _is_subject(after) and not _is_subject(before) else (before, after)
            yield _Deed(keys(who.text), lemma(word.text), keys(whom.text))


def _is_actor(word: Word) -> bool:
    """A name, or a word with a capital that no dictionary has: a foreign surname."""
    return word.is_capital and (
        is_tagged(word.text, *NAME_TAGS) or not any(parse.is_known for parse in parses(word.text))
    )


def _is_subject(word: Word) -> bool:
    return word.text.lower().replace("ё", "е") == lemma(word.text).replace("ё", "е")
