"""Numbers in a text, in digits or in words, with their scale: "14,3 млрд", "двадцать пять тысяч", "12%", "25-й"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from articles.factcheck.words import WORD, is_tagged, lemma

SCALES = (
    (re.compile(r"тыс(?:яч\w*)?\b\.?|thousand\b", re.IGNORECASE), Decimal(1_000)),
    (re.compile(r"млн\b\.?|миллион\w*|million\b", re.IGNORECASE), Decimal(1_000_000)),
    (re.compile(r"млрд\b\.?|миллиард\w*|billion\b|bn\b", re.IGNORECASE), Decimal(1_000_000_000)),
    (re.compile(r"трлн\b\.?|триллион\w*|trillion\b", re.IGNORECASE), Decimal(1_000_000_000_000)),
)
PERCENT = re.compile(r"\s?(?:-?%|процент\w*|percent\b|per cent\b)", re.IGNORECASE)
# A number that stands behind letters and a hyphen is part of a name: Су-57.
DIGITS = re.compile(r"(?<![\w.,])(?<![^\W\d_]-)(?P<whole>\d{1,3}(?: \d{3})+(?!\d)|\d+)(?P<rest>(?:[.,:/]\d+)*)")
SUFFIX = re.compile(r"-(?:[а-я]{1,3}|[а-я]*(?:лет|днев|месяч|процент|этаж|метров|минут)[а-я]*)\b|(?:st|nd|rd|th)\b")
RANGE = re.compile(r"(?:\s?-\s?|\s(?:до|to)\s)(?=\d)")
SECOND = re.compile(r"\d+(?:[.,]\d+)?")
THOUSANDS = 3

UNITS = (
    "ноль один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать четырнадцать "
    "пятнадцать шестнадцать семнадцать восемнадцать девятнадцать"
)
TENS = "двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто"
HUNDREDS = "сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот"
ORDINALS = (
    "нулевой первый второй третий четвертый пятый шестой седьмой восьмой девятый десятый одиннадцатый двенадцатый "
    "тринадцатый четырнадцатый пятнадцатый шестнадцатый семнадцатый восемнадцатый девятнадцатый"
)
ROUND_ORDINALS = "двадцатый тридцатый сороковой пятидесятый шестидесятый семидесятый восьмидесятый девяностый"
COLLECTIVE = "двое трое четверо пятеро шестеро семеро восьмеро"
ENGLISH = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
VALUES: dict[str, Decimal] = (
    {word: Decimal(value) for words in (UNITS, ORDINALS, ENGLISH) for value, word in enumerate(words.split())}
    | {word: Decimal(20 + 10 * place) for words in (TENS, ROUND_ORDINALS) for place, word in enumerate(words.split())}
    | {word: Decimal(100 * place) for place, word in enumerate(HUNDREDS.split(), 1)}
    | {word: Decimal(place) for place, word in enumerate(COLLECTIVE.split(), 2)}
    | {"полтора": Decimal("1.5"), "вдвое": Decimal(2), "дважды": Decimal(2), "втрое": Decimal(3), "трижды": Decimal(3)}
)
ROMAN = re.compile(r"\b(?:I{2,3}|IV|VI{0,3}|IX|XI{0,3}|XIV|XVI{0,3}|XIX|XX|XXI|I(?=\s(?:квартал|полугоди)))\b")
ROMAN_DIGITS = {"I": 1, "V": 5, "X": 10}
# "один из", "первый": said of anything, and checked by nobody.
LOOSE = frozenset({Decimal(0), Decimal(1)})


@dataclass(frozen=True, slots=True)
class Number:
    """A number at a place of a text: the values it may mean, and the form of the word that is counted."""

    start: int
    end: int
    values: frozenset[Decimal]
    is_percent: bool = False
    counted: str = ""
    is_word: bool = False


def numbers(text: str, taken: list[tuple[int, int]]) -> list[Number]:
    """The numbers of a plain text in order, outside of the places that are `taken` (dates)."""
    found = [*_in_digits(text), *_in_words(text), *_roman(text)]
    free = [one for one in found if not any(one.start < end and start < one.end for start, end in taken)]
    return sorted(free, key=lambda number: number.start)


def unsupported(
    found: list[Number], told: list[Number], years: frozenset[int], summary: str, source: str
) -> Iterator[Number]:
    """Those numbers of a summary that its source does not tell, or tells of another thing."""
    known = {(value, number.is_percent) for number in told for value in number.values}
    known |= {(Decimal(year), False) for year in years}
    counted = {(value, number.counted) for number in told for value in number.values if number.counted}
    things = {thing for _value, thing in counted}
    for number in found:
        if number.is_word and number.values & LOOSE:
            continue
        is_told = any((value, number.is_percent) in known for value in number.values)
        is_of_this = any((value, number.counted) in counted for value in number.values)
        if not is_told or (number.counted in things and not is_of_this):
            yield number
    yield from _reversed(found, told, summary, source)


def _reversed(found: list[Number], told: list[Number], summary: str, source: str) -> Iterator[Number]:
    """ "From 10 to 15" where the source has "from 15 to 10"."""
    known = set(_spans(told, source))
    for low, high in _spans(found, summary):
        if (high, low) in known and (low, high) not in known:
            yield from (number for number in found if number.values in (low, high))


def _spans(found: list[Number], text: str) -> Iterator[tuple[frozenset[Decimal], frozenset[Decimal]]]:
    for one, other in pairwise(found):
        before, between = text[max(one.start - 3, 0) : one.start].lower(), text[one.end : other.start].lower()
        if re.search(r"\b(?:с|от|from)\s$", f" {before}"[-6:]) and re.search(r"\b(?:до|to)\s$", between):
            yield one.values, other.values


def _in_digits(text: str) -> Iterator[Number]:
    for match in DIGITS.finditer(text):
        values, end = _values(match), match.end()
        if suffix := SUFFIX.match(text, end):
            yield Number(match.start(), suffix.end(), values, "процент" in suffix.group())
            continue
        scaled, end, is_percent = _scaled(text, values, end)
        yield Number(match.start(), end, scaled, is_percent, _counted(text, end))


def _values(match: re.Match[str]) -> frozenset[Decimal]:
    whole, rest = match["whole"].replace(" ", ""), match["rest"]
    if not rest:
        return frozenset({Decimal(whole)})
    if rest[0] in ":/" or len(re.findall(r"[.,:/]", rest)) > 1:
        # A time, a score, an address: kept apart from plain numbers by being negative.
        return frozenset({-Decimal(re.sub(r"\D", "", f"{whole}{rest}")[:20] or 0) - Decimal("0.5")})
    values = {Decimal(f"{whole}.{rest[1:]}")}
    if len(rest) - 1 == THOUSANDS:
        values.add(Decimal(f"{whole}{rest[1:]}"))
    return frozenset(values)


def _scaled(text: str, values: frozenset[Decimal], end: int) -> tuple[frozenset[Decimal], int, bool]:
    """The values with the scale or the percent sign behind them; in "10-15 млн" the first number has it, too,
    and so it has in "с 10 до 15 млн".
    """
    if gap := RANGE.match(text, end):
        other = SECOND.match(text, gap.end())
        scaled, _end, is_percent = _with_unit(text, values, other.end()) if other else (values, end, False)
        return scaled, end, is_percent
    return _with_unit(text, values, end)


def _with_unit(text: str, values: frozenset[Decimal], end: int) -> tuple[frozenset[Decimal], int, bool]:
    """The values with what stands right behind them, where that ends, and whether they are percentages."""
    if match := PERCENT.match(text, end):
        return values, match.end(), True
    space = end + (text[end : end + 1] == " ")
    for pattern, scale in SCALES:
        if match := pattern.match(text, space):
            return frozenset(value * scale for value in values), match.end(), bool(PERCENT.match(text, match.end()))
    return values, end, False


def _counted(text: str, end: int) -> str:
    """The dictionary form of the word right behind a number: of what there are so many."""
    match = re.compile(r" ([а-яА-Яa-zA-Z]{3,})").match(text, end)
    return lemma(match[1]) if match and is_tagged(match[1], "NOUN", "PRTF") else ""


def _in_words(text: str) -> Iterator[Number]:
    """Numbers in words: neighbours add up (двадцать пять) and are multiplied by their scale (пять тысяч)."""
    start, end, total = -1, -1, Decimal(0)
    for match in WORD.finditer(text):
        value = _value_of(match.group())
        if start >= 0 and (value is None or text[end : match.start()].strip() or value >= (total % 100 or 1000)):
            yield _spelt(text, start, end, total)
            start, total = -1, Decimal(0)
        if value is not None:
            start = match.start() if start < 0 else start
            total, end = total + value, match.end()
    if start >= 0:
        yield _spelt(text, start, end, total)


def _spelt(text: str, start: int, end: int, total: Decimal) -> Number:
    values, stop, is_percent = _scaled(text, frozenset({total}), end)
    return Number(start, stop, values, is_percent, _counted(text, stop), is_word=stop == end and not is_percent)


def _value_of(word: str) -> Decimal | None:
    lower = word.lower()
    if lower in VALUES:
        return VALUES[lower]
    # "сорока" is also a bird, "пяти" never anything else: the dictionary says which words count.
    return VALUES.get(lemma(lower)) if is_tagged(lower, "NUMR", "Anum") else None


def _roman(text: str) -> Iterator[Number]:
    for match in ROMAN.finditer(text):
        digits = [ROMAN_DIGITS[letter] for letter in match.group()]
        pairs = zip(digits, [*digits[1:], 0], strict=True)
        value = sum(-digit if digit < following else digit for digit, following in pairs)
        yield Number(match.start(), match.end(), frozenset({Decimal(value)}), is_word=True)
