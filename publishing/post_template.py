"""A channel's template: how its posts are laid out, in a small part of Telegram's HTML with placeholders.

    <b>{title}</b>

    {text}

    <a href="{link}">{source}</a> · {date}
    {tags}

There is nothing in it but tags and the placeholders of `PLACEHOLDERS`: no expressions, no attributes, no code.
`template_syntax.read` makes it lines of runs, which are then filled with values. Where a placeholder has nothing to
say, what belongs to it goes too: the element that holds nothing else, the piece between two separators (· • | — / with
spaces around them), and the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from itertools import groupby

import regex
from django.utils import translation
from django.utils.translation import pgettext

from publishing.splitting import Mark

PLACEHOLDERS = ("title", "text", "source", "link", "tags", "footer", "date")
SEPARATOR = regex.compile(r"\s+[·•|/—–]\s+")


def standard(language: str) -> str:
    """The template of a channel that has none of its own, in the channel's language."""
    with translation.override(language):
        name = escape(pgettext("link below a post", "Source"), quote=False)
    return f'<b>{{title}}</b>\n\n{{text}}\n\n<a href="{{link}}">{name}</a> · {{footer}}\n{{tags}}'


@dataclass(frozen=True)
class Element:
    """A tag of the template; its number tells it from others of its kind. `href` is an address, or `{link}`."""

    number: int
    kind: str
    href: str = ""


@dataclass(frozen=True)
class Run:
    """A stretch of the template inside the same elements (outermost first): a placeholder, or words as they stand."""

    elements: tuple[Element, ...]
    field: str = ""
    words: str = ""

    @cached_property
    def is_separator(self) -> bool:
        return SEPARATOR.fullmatch(self.words) is not None


Line = tuple[Run, ...]


@dataclass(frozen=True)
class Template:
    """A template that was read. `lines` are lines of the post; an empty one is an empty line."""

    lines: tuple[Line, ...]

    @cached_property
    def fields(self) -> frozenset[str]:
        """The placeholders that occur in it."""
        fields = {run.field for line in self.lines for run in line}
        hrefs = {"link" for line in self.lines for run in line for element in run.elements if element.href == "{link}"}
        return frozenset(fields - {""} | hrefs)

    @cached_property
    def _fields_of(self) -> Mapping[int, frozenset[str]]:
        """The placeholders inside each element, by its number."""
        inside: dict[int, set[str]] = {}
        for run in (run for line in self.lines for run in line):
            for element in run.elements:
                inside.setdefault(element.number, set()).update({run.field} - {""})
        return {number: frozenset(fields) for number, fields in inside.items()}

    def fill(self, values: Mapping[str, str]) -> tuple[str, list[Mark]]:
        """The text with these values, which must be clean, and where its formatted stretches lie. Missing is empty."""
        text, spans = "", dict[Element, tuple[int, int]]()
        is_apart = False
        for line in self.lines:
            runs = list(self._kept(line, values))
            if not any(self._said(run, values).strip() for run in runs):
                is_apart = is_apart or not line
                continue
            text += ("\n\n" if is_apart else "\n") if text else ""
            is_apart = False
            for run in runs:
                said = self._said(run, values)
                said = said.lstrip() if not text or text.endswith("\n") else said
                for element in run.elements:
                    spans[element] = spans.get(element, (len(text), 0))[0], len(text) + len(said)
                text += said
            # Telegram drops white space at the ends of lines.
            text = text.rstrip()
            spans = {element: (start, min(end, len(text))) for element, (start, end) in spans.items()}
        return text, list(_marks(text, spans, values))

    def _said(self, run: Run, values: Mapping[str, str]) -> str:
        return values.get(run.field, "") if run.field else run.words

    def _kept(self, line: Line, values: Mapping[str, str]) -> Iterator[Run]:
        """What is left of a line without what has nothing to say; nothing if all its placeholders are empty."""
        bound = [run for run in line if self._is_bound(run)]
        if bound and all(self._is_empty(run, values) for run in bound):
            return
        separator: Run | None = None
        is_first = True
        for is_separator, runs in groupby(line, key=lambda run: run.is_separator):
            piece = list(runs)
            if is_separator:
                separator = piece[-1]
                continue
            dependent = [run for run in piece if self._is_bound(run)]
            if dependent and all(self._is_empty(run, values) for run in dependent):
                continue
            if separator and not is_first:
                yield separator
            yield from (run for run in piece if not self._is_empty(run, values))
            is_first = False

    def _is_bound(self, run: Run) -> bool:
        """Whether it depends on a placeholder: it is one, or stands in an element that has one."""
        return bool(run.field) or any(
            element.href == "{link}" or self._fields_of[element.number] for element in run.elements
        )

    def _is_empty(self, run: Run, values: Mapping[str, str]) -> bool:
        if run.field and not values.get(run.field):
            return True
        return any(self._is_gone(element, values) for element in run.elements)

    def _is_gone(self, element: Element, values: Mapping[str, str]) -> bool:
        """Whether an element vanishes: its link leads nowhere, or all that is in it is empty."""
        fields = self._fields_of[element.number]
        leads_nowhere = element.href == "{link}" and not values.get("link")
        return leads_nowhere or (bool(fields) and not any(values.get(field) for field in fields))


def _marks(text: str, spans: Mapping[Element, tuple[int, int]], values: Mapping[str, str]) -> Iterator[Mark]:
    """The formatted stretches, outer ones before inner ones, without white space at their ends."""
    for element, (start, end) in sorted(spans.items(), key=lambda item: (item[1][0], -item[1][1], item[0].number)):
        inside = text[start:end]
        first, last = start + len(inside) - len(inside.lstrip()), start + len(inside.rstrip())
        if first < last:
            url = values.get("link", "") if element.href == "{link}" else element.href
            yield Mark(first, last, element.kind, url)
