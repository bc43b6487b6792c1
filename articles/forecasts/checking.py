"""What a forecast note says that its article does not support, and what it must not bring at all. Pure and offline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from articles.factcheck.checking import check as check_facts
from articles.factcheck.findings import Kind
from articles.factcheck.form import addresses, smuggled
from articles.forecasts.form import Note, UnusableNote

# Names at the beginning of a sentence may be common words; behind one of these they are names or nothing.
BEFORE_NAME = "это "
# Of posts, not of the lines of a note.
IRRELEVANT = frozenset({Kind.LENGTH, Kind.LANGUAGE})


@dataclass(frozen=True, slots=True)
class _Line:
    """One statement of a note as it is looked up: where it stands in the note, and from where on it is the note's."""

    place: str
    text: str
    start: int
    is_name: bool

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def refuse_addresses(note: Note, source: str) -> None:
    """Raises UnusableNote for links, e-mail addresses, handles and hashtags, and for any site the article lacks."""
    for text in note.texts():
        foreign = {match.group() for match in smuggled(text, source)}
        for address in (match.group() for match in addresses(text)):
            if address in foreign or "@" in address or "/" in address or address.startswith(("#", "www.")):
                raise UnusableNote(_("The note brings an address: %(address)s") % {"address": address[:80]})


def findings(note: Note, *, title: str, text: str, published: date) -> list[dict[str, Any]]:
    """What the article lacks of the names and facts of a note, as JSON: findings with their `place` in it.

    What may come of it is a guess by nature and is not looked up.
    """
    lines = list(_lines(note))
    told = "\n".join(f"{BEFORE_NAME if line.is_name else ''}{line.text}" for line in lines)
    report = check_facts(told, title=title, text=text, published=published)
    return [
        finding.as_json() | {"place": line.place, "start": finding.start - line.start, "end": finding.end - line.start}
        for finding in report.findings
        if finding.kind not in IRRELEVANT
        for line in lines
        # That no sentence is like a bare name is found before the name, and means nothing.
        if line.start <= finding.start < line.end
    ]


def _lines(note: Note) -> Iterator[_Line]:
    start = 0
    for number, fact in enumerate(note.key_facts):
        yield _Line(f"key_facts.{number}", fact, start, is_name=False)
        start += len(fact) + 1
    for number, entity in enumerate(note.entities):
        start += len(BEFORE_NAME)
        yield _Line(f"entities.{number}", entity.name, start, is_name=True)
        start += len(entity.name) + 1
