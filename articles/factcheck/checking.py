"""The story of a check: dates, then numbers outside of them, names, quotations, and what each sentence leans on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from articles.factcheck import dates, form, linking, names, numbers, quotations
from articles.factcheck.findings import Finding, Kind
from articles.factcheck.linking import Link
from articles.factcheck.words import Sentence, plain, sentences
from usage.languages import language_of


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in a summary, in its order, and the sentences of its source with the links to them."""

    findings: tuple[Finding, ...]
    links: tuple[Link, ...]
    source: tuple[str, ...]

    @property
    def bars_approval(self) -> bool:
        return any(finding.bars for finding in self.findings)


def check(summary: str, *, title: str, text: str, published: date | None = None) -> Report:
    """Look a summary up in its article. `published` is the article's day, which "yesterday" and a missing year mean.

    Deterministic and offline. Texts are looked at up to `words.LONGEST_TEXT` characters.
    """
    short, source = plain(summary), plain(f"{title}\n{text}")
    told, own = sentences(source), sentences(short)
    language = language_of(text)
    links = linking.link(own, told, language)
    found = set(_facts(summary[: len(short)], source, own, told, published))
    found |= {Finding(link.start, link.end, Kind.SENTENCE, "") for link in links if link.source < 0}
    found |= set(form.flaws(summary, f"{title}\n{text}", language))
    return Report(
        findings=tuple(sorted(found)),
        links=tuple(links),
        source=tuple(f"{title}\n{text}"[one.start : one.start + len(one.text)] for one in told),
    )


def _facts(
    summary: str, source: str, own: list[Sentence], told: list[Sentence], published: date | None
) -> Iterator[Finding]:
    short = plain(summary)
    for mention in dates.unsupported(short, source, published):
        yield _finding(Kind.DATE, summary, mention.start, mention.end)
    for number in _numbers(short, source):
        yield _finding(Kind.PERCENTAGE if number.is_percent else Kind.NUMBER, summary, number.start, number.end)
    for word in names.unsupported(short, own, names.Source(source, told)):
        yield _finding(Kind.NAME, summary, word.start, word.end)
    for quotation in quotations.unsupported(short, source):
        yield _finding(Kind.QUOTATION, summary, quotation.start, quotation.end)


def _numbers(short: str, source: str) -> Iterator[numbers.Number]:
    told_dates = dates.mentions(source)
    years = frozenset(day.year for mention in told_dates for day in mention.days if day.year)
    told = numbers.numbers(source, _places(told_dates))
    own = numbers.numbers(short, _places(dates.mentions(short)))
    return numbers.unsupported(own, told, years, short, source)


def _places(mentions: list[dates.Mention]) -> list[tuple[int, int]]:
    return [(mention.start, mention.end) for mention in mentions]


def _finding(kind: Kind, text: str, start: int, end: int) -> Finding:
    trimmed = len(re.sub(r"[\s.,]+$", "", text[start:end]))
    return Finding(start, start + trimmed, kind, text[start : start + trimmed])
