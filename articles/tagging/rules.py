"""One rule against one text. Pure, but for what a rule's row says.

What a person may write as a regular expression can take longer than the universe lasts; each look is bounded in time,
and a rule that runs out of it is told apart from one that doesn't match.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar
from urllib.parse import urlsplit

import regex
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from articles.models import TagRule
from articles.models.tag import slug_of
from articles.search.documents import Document
from articles.search.query import Phrase, is_in, phrase_of

# How long an expression may look at one text, in seconds, and at how many of its first characters.
LONGEST_LOOK = 0.05
LONGEST_TEXT = 20_000

Some = TypeVar("Some", tuple[Phrase, ...], tuple[str, ...], frozenset[str])


class TooSlow(Exception):
    """An expression has not finished with a text in time."""


@dataclass(frozen=True)
class Text:
    """What rules look at: an article's words as they are indexed and as they are written, its topics and its home."""

    source_id: int
    title: str
    body: str
    topics: frozenset[str]
    host: str
    document: Document

    @cached_property
    def together(self) -> str:
        return f"{self.title}\n\n{self.body}"[:LONGEST_TEXT]


@dataclass(frozen=True)
class Pattern(ABC):
    in_title_only: bool

    @abstractmethod
    def matches(self, text: Text) -> bool:
        """Whether the text has it. Raises TooSlow."""


@dataclass(frozen=True)
class Words(Pattern):
    """One of several words or phrases, in any form."""

    phrases: tuple[Phrase, ...]

    def matches(self, text: Text) -> bool:
        positions = text.document.title_positions if self.in_title_only else text.document.positions
        return any(is_in(phrase, positions) for phrase in self.phrases)


@dataclass(frozen=True)
class Regex(Pattern):
    expression: regex.Pattern[str]

    def matches(self, text: Text) -> bool:
        looked_at = text.title if self.in_title_only else text.together
        try:
            return self.expression.search(looked_at, timeout=LONGEST_LOOK) is not None
        except TimeoutError as error:
            raise TooSlow from error


@dataclass(frozen=True)
class Topic(Pattern):
    """The source itself files the article under one of these."""

    slugs: frozenset[str]

    def matches(self, text: Text) -> bool:
        return not self.slugs.isdisjoint(text.topics)


@dataclass(frozen=True)
class Domain(Pattern):
    """The article's address lies in one of these domains."""

    domains: tuple[str, ...]

    def matches(self, text: Text) -> bool:
        return any(text.host == domain or text.host.endswith(f".{domain}") for domain in self.domains)


@dataclass(frozen=True)
class Rule:
    """A rule that is ready to be asked."""

    pk: int | None
    tag_id: int
    source_id: int | None
    pattern: Pattern

    def matches(self, text: Text) -> bool:
        """Raises TooSlow."""
        return self.source_id in {None, text.source_id} and self.pattern.matches(text)


def compiled(row: TagRule) -> Rule:
    """A row as a rule that can be asked. Raises ValidationError with what is wrong with its pattern."""
    alternatives = [each.strip() for each in row.pattern.split(",") if each.strip()]
    match TagRule.Kind(row.kind):
        case TagRule.Kind.WORDS:
            pattern: Pattern = Words(row.in_title_only, _some(tuple(filter(None, map(phrase_of, alternatives)))))
        case TagRule.Kind.REGEX:
            pattern = Regex(row.in_title_only, _expression(row.pattern))
        case TagRule.Kind.TOPIC:
            pattern = Topic(row.in_title_only, _some(frozenset(filter(None, map(slug_of, alternatives)))))
        case TagRule.Kind.DOMAIN:
            pattern = Domain(row.in_title_only, _some(tuple(filter(None, map(host_of, alternatives)))))
    return Rule(row.pk, row.tag_id, row.source_id, pattern)


def host_of(address: str) -> str:
    """The host of an address or of a bare domain, in lower case and without `www.`; empty if there is none."""
    try:
        host = urlsplit(address if "://" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.").strip(".")


def _expression(pattern: str) -> regex.Pattern[str]:
    try:
        return regex.compile(pattern, regex.IGNORECASE)
    except regex.error as error:
        raise ValidationError(_("This is no regular expression: %(error)s.") % {"error": error}) from error


def _some(alternatives: Some) -> Some:
    if not alternatives:
        raise ValidationError(_("The pattern holds nothing to look for."))
    return alternatives
