"""A feed's bytes to its entries. Pure, without Django: worker processes import this module.

feedparser reads the structure. Its own work on encodings and HTML is left out: we decode better for Russian feeds, and
of HTML we want the plain text only.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import ModuleType
from zoneinfo import ZoneInfo

from articles import charset, text
from articles.entries import MAX_TITLE, Entry, Reader, absolute, canonical_forms

MAX_ENTRIES = 1000

# What XML cannot hold and feeds do: control characters, and references to them, to surrogates and beyond Unicode.
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
REFERENCE = re.compile(r"&#(x[0-9a-f]+|[0-9]+);", re.IGNORECASE)

# Before the root element. No step is taken back, so however long that is, it is read once.
DOCTYPE = re.compile(
    r"\A(?:\s++|<\?(?:(?!\?>).)*+\?>|<!--(?:(?!-->).)*+-->)*+(<!DOCTYPE\b[^\[>]*+)([\[>])", re.IGNORECASE | re.DOTALL
)
END_OF_SUBSET = re.compile(r"\]\s*>")

UTF8 = {"content-type": "application/xml; charset=utf-8"}


class Unreadable(ValueError):
    """Nothing can be read from a document.

    Unreadable
    ├── NotAFeed          it is no feed, or it is broken beyond repair
    └── UnknownTimeZone   the source's own zone is not known here
    """


class NotAFeed(Unreadable):
    pass


class UnknownTimeZone(Unreadable):
    pass


@dataclass(frozen=True, slots=True)
class Feed:
    title: str
    url: str
    site_url: str
    entries: tuple[Entry, ...]
    # Where the older entries are (RFC 5005), empty if the feed doesn't say.
    next_url: str = ""


def parse(
    body: bytes,
    *,
    url: str,
    now: datetime,
    content_type: str = "",
    encoding: str = "",
    time_zone: str = "UTC",
) -> Feed:
    """Read RSS 0.9x to 2.0, Atom or RDF that came from `url`. Entries keep the feed's order, each address once.

    `content_type` is the HTTP header, `encoding` a person's word against header and document, `time_zone` that of dates
    which name none; `now` (aware) is the limit of sensible dates. Raises NotAFeed or UnknownTimeZone.
    """
    zone = _zone(time_zone)
    document = charset.decode(body, content_type=content_type, override=encoding)
    document = _without_doctype(REFERENCE.sub(_valid_reference, NOT_XML.sub("", document)))
    try:
        parsed = _feedparser().parse(
            io.BytesIO(document.encode()), response_headers=UTF8, sanitize_html=False, resolve_relative_uris=False
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, RecursionError) as error:
        # What feedparser raises on documents made to break it.
        raise NotAFeed("The document cannot be read as a feed.") from error
    if not parsed.get("version") and not parsed.entries:
        raise NotAFeed("The document is no feed.")
    site_url = absolute(url, parsed.feed.get("link", "")) or url
    reader = Reader(url, frozenset(canonical_forms(url, site_url)), zone, now, str(parsed.feed.get("language", "")))
    entries = {entry.canonical_link: entry for entry in reversed(list(reader.read(parsed.entries[:MAX_ENTRIES])))}
    return Feed(
        title=text.one_line(parsed.feed.get("title", ""))[:MAX_TITLE],
        url=url,
        site_url=site_url,
        entries=tuple(reversed(entries.values())),
        next_url=_older(url, parsed.feed.get("links", [])),
    )


def _older(url: str, links: list[dict[str, str]]) -> str:
    """The feed's page of older entries: the next one of a paged feed, or the archive before this one (RFC 5005)."""
    found = {link.get("rel", ""): link.get("href", "") for link in links}
    older = absolute(url, found.get("next") or found.get("prev-archive"))
    return "" if older == url else older


def _without_doctype(document: str) -> str:
    """The document without its type and what that declares: no entity is ever expanded, at home or from elsewhere."""
    found = DOCTYPE.match(document)
    if not found:
        return document
    end = found.end()
    if found[2] == "[":
        closed = END_OF_SUBSET.search(document, end)
        if not closed:
            raise NotAFeed("The document's type has no end.")
        end = closed.end()
    rest = document[: found.start(1)] + document[end:]
    if DOCTYPE.match(rest):
        raise NotAFeed("The document has two types.")
    return rest


@cache
def _feedparser() -> ModuleType:
    """feedparser, imported with the first feed: a run in which all servers say "not modified" does without it.

    It translates each text through a table of windows-1252's few letters, and Python raises a KeyError for every letter
    that is missing there. With the letters of Latin and Cyrillic in the table a Russian feed takes a third less time.
    """
    import feedparser  # noqa: PLC0415
    import feedparser.html  # noqa: PLC0415

    for letter in range(0x500):
        feedparser.html._cp1252.setdefault(letter, letter)
    module: ModuleType = feedparser
    return module


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # unknown, not a name at all, or a folder of names
        raise UnknownTimeZone(name) from error


def _valid_reference(found: re.Match[str]) -> str:
    number = found[1]
    code = int(number[1:], 16) if number[0] in "xX" else int(number[:10])
    is_valid = code <= 0x10FFFF and not NOT_XML.match(chr(code))  # noqa: PLR2004
    return found[0] if is_valid else ""
