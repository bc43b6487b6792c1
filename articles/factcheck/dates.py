"""Dates in a text: "12 ноября", "12.11.2026", "в ноябре 2025 года", "вчера", "в четверг", "November 12"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

MONTHS = (
    r"январ[ьяею]м?|янв", r"феврал[ьяею]м?|фев", r"март[аеу]?(?:ом)?", r"апрел[ьяею]м?|апр", r"ма[йяею]|маем",
    r"июн[ьяею]м?", r"июл[ьяею]м?", r"август[аеу]?(?:ом)?|авг", r"сентябр[ьяею]м?|сент?", r"октябр[ьяею]м?|окт",
    r"ноябр[ьяею]м?|нояб", r"декабр[ьяею]м?|дек",
)  # fmt: skip
# With a capital, so that "may" is a month only where it is written as one.
ENGLISH_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
WEEKDAYS = (
    r"понедельник\w*", r"вторник\w*", r"сред[ауые]", r"четверг\w*", r"пятниц\w+", r"суббот\w+", r"воскресен\w+",
)  # fmt: skip
RELATIVE = {"позавчера": -2, "вчера": -1, "сегодня": 0, "завтра": 1, "послезавтра": 2}

_MONTH = "|".join(f"(?P<m{number}>{form})" for number, form in enumerate(MONTHS, 1))
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_OF_YEAR = rf"(?:,?\s+{_YEAR}\b(?:\s*(?:год\w*|г\b\.?))?)?"
DAY_OF_MONTH = re.compile(
    rf"\b(?P<day>\d{{1,2}})(?:-(?:го|е|му|м))?(?:\s?(?:-|и|по|или)\s?(?P<other>\d{{1,2}})(?:-(?:го|е))?)?"
    rf"\s+(?:{_MONTH})\b\.?{_OF_YEAR}",
    re.IGNORECASE,
)
MONTH = re.compile(rf"(?<![\w-])(?:{_MONTH})\b{_OF_YEAR}")
NUMERIC = re.compile(r"\b(?P<day>\d{1,2})\.(?P<month>\d{1,2})(?:\.(?P<year>\d{4}|\d\d))(?!\d|[.,]\d)")
ISO = re.compile(r"\b(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)\b")
YEAR = re.compile(
    rf"(?<![\d.,-]){_YEAR}(?:-?(?:го|й|м|му|е))?\s*(?:год\w*|гг?\b\.?)|(?<=\bin ){_YEAR.replace('year', 'y2')}\b"
)
_ENGLISH = "|".join(f"(?P<m{number}>{name})" for number, name in enumerate(ENGLISH_MONTHS, 1))
ENGLISH = re.compile(
    rf"\b(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+)?(?:{_ENGLISH})\b(?:\s+(?P<other>\d{{1,2}})(?:st|nd|rd|th)?\b)?"
    rf"(?:,?\s+{_YEAR})?"
)
WEEKDAY = re.compile("|".join(f"(?P<w{number}>\\b{form}\\b)" for number, form in enumerate(WEEKDAYS)), re.IGNORECASE)
NEARBY = re.compile(rf"\b(?:{'|'.join(RELATIVE)})\b", re.IGNORECASE)
CENTURY = 2000
NEAR = 6  # days


@dataclass(frozen=True, slots=True)
class Day:
    """A date as far as a text tells it: None stands for what it leaves open."""

    day: int | None
    month: int | None
    year: int | None

    def is_told_by(self, other: Day, years: frozenset[int]) -> bool:
        """Whether another date says all that this one says. A year that it lacks may be any of `years`."""
        if self.day is not None and self.day != other.day:
            return False
        if self.month is not None and self.month != other.month:
            return False
        return self.year is None or self.year == other.year or (other.year is None and self.year in years)


@dataclass(frozen=True, slots=True)
class Mention:
    """A date at a place of a text, as one day, or as several that it may mean."""

    start: int
    end: int
    days: tuple[Day, ...]
    # "вчера", "четверг": supported by the same word, too.
    word: str = ""


def mentions(text: str, published: date | None = None) -> list[Mention]:
    """The dates of a plain text in order. Relative ones are told from the day the article was published, if known."""
    found: list[Mention] = []
    taken: list[tuple[int, int]] = []
    for mention in _all(text, published):
        if not any(mention.start < end and start < mention.end for start, end in taken):
            found.append(mention)
            taken.append((mention.start, mention.end))
    return sorted(found, key=lambda mention: mention.start)


def unsupported(summary: str, source: str, published: date | None = None) -> Iterator[Mention]:
    """The dates of a summary that its source does not tell."""
    told = mentions(source, published)
    known = [day for mention in told for day in mention.days]
    words = {mention.word for mention in told} - {""}
    years = frozenset({published.year} if published else set()) | {day.year for day in known if day.year}
    numbers = frozenset(int(number) for number in re.findall(r"\b(?:19|20)\d\d\b", source))
    for mention in mentions(summary, published):
        if mention.word and mention.word in words:
            continue
        if not any(_is_told(day, known, years | numbers) for day in mention.days):
            yield mention


def _is_told(day: Day, known: Iterable[Day], years: frozenset[int]) -> bool:
    if day.day is None and day.month is None:
        return day.year in years
    return any(day.is_told_by(other, years) for other in known)


def _all(text: str, published: date | None) -> Iterator[Mention]:
    for pattern in (DAY_OF_MONTH, ENGLISH):
        for match in pattern.finditer(text):
            yield from _by_name(match)
    for pattern in (ISO, NUMERIC):
        for match in pattern.finditer(text):
            year = int(match["year"])
            day = Day(int(match["day"]), int(match["month"]), year if year > 99 else CENTURY + year)  # noqa: PLR2004
            yield Mention(match.start(), match.end(), (day,))
    for match in MONTH.finditer(text):
        yield Mention(match.start(), match.end(), (Day(None, _month(match), _number(match["year"])),))
    for match in YEAR.finditer(text):
        yield Mention(match.start(), match.end(), (Day(None, None, int(match["year"] or match["y2"])),))
    yield from _relative(text, published)


def _by_name(match: re.Match[str]) -> Iterator[Mention]:
    days: list[int | None] = [int(value) for value in (match["day"], match["other"]) if value] or [None]
    yield Mention(match.start(), match.end(), (Day(days[0], _month(match), _number(match["year"])),))
    if len(days) > 1:
        # The second day of "12 и 13 ноября" stands at its own place.
        start = match.start("other")
        yield Mention(start, start, (Day(days[1], _month(match), _number(match["year"])),))


def _month(match: re.Match[str]) -> int:
    return next(number for number in range(1, 13) if match[f"m{number}"])


def _number(text: str | None) -> int | None:
    return int(text) if text else None


def _relative(text: str, published: date | None) -> Iterator[Mention]:
    for match in NEARBY.finditer(text):
        word = match.group().lower()
        told = (_day(published + timedelta(days=RELATIVE[word])),) if published else ()
        yield Mention(match.start(), match.end(), told, word)
    for match in WEEKDAY.finditer(text):
        number = next(number for number in range(7) if match[f"w{number}"])
        near = [published + timedelta(days=away) for away in range(-NEAR, NEAR + 1)] if published else []
        days = tuple(_day(moment) for moment in near if moment.weekday() == number)
        yield Mention(match.start(), match.end(), days, f"weekday {number}")


def _day(moment: date) -> Day:
    return Day(moment.day, moment.month, moment.year)
