"""One tree of a post, turned into Telegram's text with entities, and from there into HTML that looks the same.

Offsets and lengths of entities count UTF-16 units, as in https://core.telegram.org/api/entities.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import pgettext

from publishing.models import Publication
from publishing.splitting import MAX_UNITS, Mark, Piece, clean, is_visible, split, units

__all__ = ["MAX_UNITS", "Entity", "Part", "Span", "compose", "lay_out", "payload_hash", "payload_html", "render"]


@dataclass(frozen=True)
class Span:
    """A leaf of the tree: a run of text that is plain, bold or a link."""

    text: str
    bold: bool = False
    url: str = ""


@dataclass(frozen=True)
class Entity:
    """A formatted stretch of a message; `offset` and `length` in UTF-16 units."""

    type: str
    offset: int
    length: int
    url: str = ""

    def as_dict(self) -> dict[str, Any]:
        plain = {"type": self.type, "offset": self.offset, "length": self.length}
        return plain | ({"url": self.url} if self.url else {})


@dataclass(frozen=True)
class Part:
    """One message of a post."""

    text: str
    entities: tuple[Entity, ...] = ()

    @property
    def units(self) -> int:
        """The length as Telegram counts it, in UTF-16 units; `MAX_UNITS` is the most a message may have."""
        return units(self.text)

    def payload(self) -> dict[str, Any]:
        """What is frozen at approval: the arguments of sendMessage but for the chat, ready for JSON."""
        links = [entity.url for entity in self.entities if entity.url]
        return {
            "text": self.text,
            "entities": [entity.as_dict() for entity in self.entities],
            "link_preview_options": {"url": links[-1]} if links else {"is_disabled": True},
        }


def payload_hash(payload: Mapping[str, Any]) -> str:
    """The SHA-256, in hex, of a payload; the same for equal payloads whatever the order of their keys."""
    stable = json.dumps(payload, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(stable.encode()).hexdigest()


def render(publication: Publication) -> list[Part]:
    """The messages a publication goes out as; none if there is nothing to read in it.

    Reads `publication.channel` and `publication.article`, so fetch them along where many are rendered.
    """
    channel, article = publication.channel, publication.article
    return compose(
        title=publication.title,
        text=publication.final_text,
        source_url=article.url if article else "",
        footer=channel.footer,
        language=channel.language,
    )


def compose(*, title: str, text: str, source_url: str = "", footer: str = "", language: str = "ru") -> list[Part]:
    """A bold title, the paragraphs, and a last line with the link to the source and the footer, as messages.

    Any text is accepted: what Telegram would drop or refuse is cleaned away first, and a source that is not a
    web address gets no link. The messages follow each other without a gap but for the white space between them.
    """
    if not is_visible(title + text):
        return []
    headline = " ".join(clean(title).split())
    paragraphs = [[Span(headline, bold=True)], [Span(clean(text))], _last_line(source_url, footer, language)]
    return lay_out(paragraphs)


def lay_out(paragraphs: Iterable[Sequence[Span]]) -> list[Part]:
    """The tree of a post as messages, with an empty line between paragraphs. Its texts must be clean."""
    return [_part(piece) for piece in split(*_flatten(paragraphs))]


def _last_line(source_url: str, footer: str, language: str) -> list[Span]:
    spans = []
    if _is_web_address(source_url):
        with translation.override(language):
            spans.append(Span(pgettext("link below a post", "Source"), url=source_url))
    if spans and clean(footer):
        spans.append(Span(" · "))
    return [*spans, Span(clean(footer))]


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets without an address in them
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and url.isprintable() and " " not in url


def _flatten(paragraphs: Iterable[Sequence[Span]]) -> tuple[str, list[Mark]]:
    """The tree as one text, an empty line between paragraphs, and where its bold and linked stretches lie."""
    text, marks = "", []
    for paragraph in paragraphs:
        spans = [span for span in paragraph if span.text]
        text += "\n\n" if text and spans else ""
        for span in spans:
            if span.bold or span.url:
                kind = "text_link" if span.url else "bold"
                marks.append(Mark(len(text), len(text) + len(span.text), kind, span.url))
            text += span.text
    return text, marks


def _part(piece: Piece) -> Part:
    entities = [
        Entity(
            type=mark.kind,
            offset=units(piece.text[: mark.start]),
            length=units(piece.text[mark.start : mark.end]),
            url=mark.url,
        )
        for mark in piece.marks
    ]
    return Part(piece.text, tuple(entities))


# --- HTML -----------------------------------------------------------------------------------------------------------


def payload_html(payload: Mapping[str, Any]) -> SafeString:
    """A frozen payload as subscribers see it: escaped, with `<b>` and `<a>`, and `<br>` for newlines."""
    encoded = str(payload["text"]).encode("utf-16-le")
    pieces, done = [], 0
    for entity in sorted(payload["entities"], key=lambda entity: int(entity["offset"])):
        start, end = 2 * entity["offset"], 2 * (entity["offset"] + entity["length"])
        pieces += [_escaped(encoded[done:start]), _element(entity, _escaped(encoded[start:end]))]
        done = end
    return mark_safe("".join([*pieces, _escaped(encoded[done:])]))  # noqa: S308  each piece is escaped


def _escaped(encoded: bytes) -> SafeString:
    return SafeString(str(format_html("{}", encoded.decode("utf-16-le"))).replace("\n", "<br>"))


def _element(entity: Mapping[str, Any], inside: SafeString) -> SafeString:
    match entity["type"]:
        case "bold":
            return format_html("<b>{}</b>", inside)
        case "text_link" if _is_web_address(entity["url"]):
            return format_html('<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>', entity["url"], inside)
        case _:
            return inside
