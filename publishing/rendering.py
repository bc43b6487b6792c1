"""One tree of a post, turned into Telegram's text with entities: by the channel's template, cut into messages.

Offsets and lengths of entities count UTF-16 units, as in https://core.telegram.org/api/entities. How a payload looks
to subscribers is told by `payload_html`.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils import translation
from django.utils.formats import date_format

from articles.models import Article, Picture
from publishing.autolinks import hashtags
from publishing.models import Channel, Digest, Publication
from publishing.post_template import Template, standard
from publishing.splitting import MAX_CAPTION_UNITS, MAX_UNITS, Mark, Piece, clean, is_visible, split, units
from publishing.template_syntax import TemplateError, is_web_address, read

logger = logging.getLogger(__name__)


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
class Photo:
    """The picture of a post: the hash of a stored file, and the address where Telegram can find it too."""

    sha256: str
    url: str


@dataclass(frozen=True)
class Part:
    """One message of a post.

    A text that fits below a picture (`MAX_CAPTION_UNITS`) is its caption. A longer one stays one message: Telegram is
    asked to show the picture above it, as the large preview of the picture's own address.
    """

    text: str
    entities: tuple[Entity, ...] = ()
    photo: Photo | None = None

    @property
    def units(self) -> int:
        """The length as Telegram counts it, in UTF-16 units; `limit` is the most a message may have."""
        return units(self.text)

    @property
    def limit(self) -> int:
        return MAX_CAPTION_UNITS if self.is_caption else MAX_UNITS

    @property
    def is_caption(self) -> bool:
        return self.photo is not None and self.units <= MAX_CAPTION_UNITS

    def payload(self) -> dict[str, Any]:
        """What is frozen at approval: what sendMessage or, of the kind `photo`, sendPhoto needs, ready for JSON.

        `media` is the hash of the picture's file.
        """
        payload = {"text": self.text, "entities": [entity.as_dict() for entity in self.entities]}
        links = [entity.url for entity in self.entities if entity.url]
        if self.photo is None:
            return payload | {"link_preview_options": {"url": links[-1]} if links else {"is_disabled": True}}
        if self.is_caption:
            still = {"is_disabled": True}
            return payload | {"kind": "photo", "media": self.photo.sha256, "link_preview_options": still}
        above = {"url": self.photo.url, "prefer_large_media": True, "show_above_text": True}
        return payload | {"media": self.photo.sha256, "link_preview_options": above}


def payload_hash(payload: Mapping[str, Any]) -> str:
    """The SHA-256, in hex, of a payload; the same for equal payloads whatever the order of their keys."""
    stable = json.dumps(payload, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(stable.encode()).hexdigest()


def render(publication: Publication) -> list[Part]:
    """The messages a publication goes out as; none if there is nothing to read in it.

    Reads the publication's channel and its article with source, tags and picture, as far as the channel's template
    names them; `Publication.objects.for_queue()` fetches them along.
    """
    channel, article = publication.channel, publication.article
    template = template_of(channel)
    of_article = _of_article(article, channel, template.fields) if article else {}
    return compose(
        title=publication.title,
        text=publication.final_text,
        footer=channel.footer,
        language=channel.language,
        template=template,
        photo=_photo(article) if article and channel.with_photos else None,
        headings=_headings(publication.digest) if publication.digest else (),
        **of_article,
    )


def _headings(digest: Digest) -> list[str]:
    """The headings of a digest's sections, which are bold in its post."""
    return [section.heading for section in digest.sections.all() if section.is_included]


def template_of(channel: Channel) -> Template:
    """The channel's template; the standard one if it has none.

    The admin refuses a template that can't be read. One that came another way doesn't keep the posts back.
    """
    try:
        return read(channel.template or standard(channel.language))
    except TemplateError as error:
        logger.error("Channel %s has a template that can't be used: %s", channel.slug, error)
        return read(standard(channel.language))


def _of_article(article: Article, channel: Channel, wanted: frozenset[str]) -> dict[str, Any]:
    """What a template says of an article; what it doesn't name isn't looked up."""
    return {
        "source_url": article.url,
        "source": article.source.name if "source" in wanted else "",
        "tags": [tag.name for tag in article.tags.all()] if "tags" in wanted else [],
        "published_at": article.published_at.astimezone(channel.zone) if "date" in wanted else None,
    }


def _photo(article: Article) -> Photo | None:
    try:
        picture = article.picture
    except Picture.DoesNotExist:
        return None
    return Photo(picture.media_id, picture.url) if picture.media_id else None


def compose(
    *,
    title: str,
    text: str,
    source_url: str = "",
    source: str = "",
    tags: Iterable[str] = (),
    footer: str = "",
    published_at: datetime | None = None,
    language: str = "ru",
    template: Template | None = None,
    photo: Photo | None = None,
    headings: Iterable[str] = (),
) -> list[Part]:
    """A post by a template, which is the standard one of the language if none is given, as messages.

    Any text is accepted: what Telegram would drop or refuse is cleaned away first, and a source that is not a
    web address gets no link. `tags` are names; `published_at` is in the time zone of the readers. Lines of the text
    that are `headings` are bold. The messages follow each other without a gap but for the white space between them.
    """
    if not is_visible(title + text):
        return []
    with translation.override(language):
        date = date_format(published_at, "j E Y") if published_at else ""
    values = {
        "title": _line(title),
        "text": clean(text),
        "source": _line(source),
        "link": source_url if is_web_address(source_url) else "",
        "tags": hashtags(tags),
        "footer": _line(footer),
        "date": date,
    }
    laid_out, marks = (template or read(standard(language))).fill(values)
    return _with_photo(laid_out, [*marks, *_bold_lines(laid_out, {_line(heading) for heading in headings})], photo)


def _bold_lines(text: str, wanted: Collection[str]) -> Iterator[Mark]:
    """A mark for each line that is one of those wanted and begins a paragraph."""
    start = 0
    for line in text.split("\n"):
        if line in wanted and line and text[:start].endswith("\n\n"):
            yield Mark(start, start + len(line), "bold")
        start += len(line) + 1


def _line(text: str) -> str:
    return " ".join(clean(text).split())


def _with_photo(text: str, marks: Sequence[Mark], photo: Photo | None) -> list[Part]:
    """The post as messages, the picture with the first of them."""
    parts = [_part(piece) for piece in split(text, marks)]
    return [replace(part, photo=photo) for part in parts[:1]] + parts[1:]


def lay_out(paragraphs: Iterable[Sequence[Span]]) -> list[Part]:
    """The tree of a post as messages, with an empty line between paragraphs. Its texts must be clean."""
    return [_part(piece) for piece in split(*_flatten(paragraphs))]


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
