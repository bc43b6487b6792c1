"""A feed's bytes to its entries. Pure, without Django: worker processes import this module.

feedparser reads the structure. Its own work on encodings and HTML is left out: we decode better for Russian feeds, and
of HTML we want the plain text only.
"""

from __future__ import annotations

import hashlib
import io
import re
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from types import ModuleType
from typing import Any
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from articles import charset, dates, text
from articles.canonical import NotCanonical, canonicalise

MAX_ENTRIES = 1000
MAX_URL = 2048
MAX_TITLE = 1000
MAX_TOPIC = 200
MAX_LEAD = 5_000
MAX_TEXT = 200_000

# A text of this length (characters) is an article, not an announcement of one. What a feed itself calls the full text
# may be shorter: news flashes are.
ENOUGH_TEXT = 700
ENOUGH_FULL_TEXT = 200
CUT_OFF = re.compile(
    r"(…|\.\.\.|\[\.\.\.\]|\[…\]|читать (далее|полностью)\W*|подробнее\W*|read more\W*)$", re.IGNORECASE
)

# What XML cannot hold and feeds do: control characters, and references to them, to surrogates and beyond Unicode.
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
REFERENCE = re.compile(r"&#(x[0-9a-f]+|[0-9]+);", re.IGNORECASE)

OTHER_CYRILLIC_LANGUAGES = {"uk", "be", "bg", "sr", "mk", "kk", "ky", "mn", "tg", "tt", "ba", "os"}
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
LATIN = re.compile("[a-z]", re.IGNORECASE)

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
class Entry:
    """One entry. `page_url` is empty if it has no page: its `canonical_link` is made of the feed and the id then.

    `text` is the longest text the entry has, `is_complete` whether that is the whole article. `entry_hash` changes with
    anything the feed says of the entry. `published` is None if the feed names no sensible date.
    """

    canonical_link: str
    page_url: str
    title: str
    published: dates.Moment | None
    lead: str
    text: str
    is_complete: bool
    topic: str
    image_url: str
    original_url: str
    language: str
    entry_hash: str


@dataclass(frozen=True, slots=True)
class Feed:
    title: str
    url: str
    site_url: str
    entries: tuple[Entry, ...]


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
    document = REFERENCE.sub(_valid_reference, NOT_XML.sub("", document))
    try:
        parsed = _feedparser().parse(
            io.BytesIO(document.encode()), response_headers=UTF8, sanitize_html=False, resolve_relative_uris=False
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, RecursionError) as error:
        # What feedparser raises on documents made to break it.
        raise NotAFeed("The document cannot be read as a feed.") from error
    if not parsed.get("version") and not parsed.entries:
        raise NotAFeed("The document is no feed.")
    site_url = _absolute(url, parsed.feed.get("link", "")) or url
    reader = _Reader(url, frozenset(_canonical(url, site_url)), zone, now, str(parsed.feed.get("language", "")))
    entries = {entry.canonical_link: entry for entry in reversed(list(reader.read(parsed.entries[:MAX_ENTRIES])))}
    return Feed(
        text.one_line(parsed.feed.get("title", ""))[:MAX_TITLE], url, site_url, tuple(reversed(entries.values()))
    )


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


def _absolute(base: str, link: object) -> str:
    """An http(s) address, resolved against the feed's; empty for anything else."""
    if not link:
        return ""
    try:
        address = urljoin(base, str(link).strip())
    except ValueError:
        return ""
    return address if address.startswith(("http://", "https://")) and len(address) <= MAX_URL else ""


def _canonical(*addresses: str) -> Iterator[str]:
    """The canonical forms of those addresses that have one."""
    for address in addresses:
        try:
            yield canonicalise(address)
        except NotCanonical:
            continue


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the entries of one feed. A link to the feed itself or to its site's front page is no article's address."""

    url: str
    not_articles: frozenset[str]
    zone: ZoneInfo
    now: datetime
    language: str

    def read(self, raw_entries: list[Any]) -> Iterator[Entry]:
        for raw in raw_entries:
            # A plain dict: feedparser's own looks up each missing key under its old names.
            if (entry := self._entry(dict(raw))) is not None:
                yield entry

    def _entry(self, raw: dict[str, Any]) -> Entry | None:
        lead, full, is_complete = _texts(raw)
        page_url, canonical_link = self._addresses(raw)
        title = _plain(raw.get("title_detail")) or text.shorten(text.one_line(lead or full), 120) or page_url
        title = text.shorten(text.one_line(title), MAX_TITLE)
        if not title:
            return None
        stated_date = str(raw.get("published") or raw.get("updated") or "")
        topic = text.one_line(_first(raw.get("tags"), "label") or _first(raw.get("tags"), "term"))[:MAX_TOPIC]
        image_url = _absolute(self.url, _image(raw))
        original_url = self._original(raw)
        canonical_link = canonical_link or self._made_up_link(raw, title, stated_date)
        said = (canonical_link, title, stated_date, lead, full, topic, image_url, original_url)
        return Entry(
            canonical_link=canonical_link,
            page_url=page_url,
            title=title,
            published=dates.sensible(self._moment(raw, stated_date), self.now),
            lead=lead,
            text=full,
            is_complete=is_complete,
            topic=topic,
            image_url=image_url,
            original_url=original_url,
            language=_language(f"{title} {full[:200]}", self.language),
            entry_hash=hashlib.sha256("\x1f".join(said).encode()).hexdigest(),
        )

    def _addresses(self, raw: dict[str, Any]) -> tuple[str, str]:
        """The address of the entry's page and its canonical form; both empty if it has none."""
        guid = str(raw.get("id", ""))
        is_permalink = guid.startswith(("http://", "https://", "/"))
        # feedparser takes a guid for the missing link, as RSS 2.0 has it, even where it is a mere number.
        link = raw.get("link") if is_permalink or raw.get("link") != guid else ""
        for candidate in filter(None, (raw.get("feedburner_origlink"), link, guid if is_permalink else "")):
            address = _absolute(self.url, candidate)
            for canonical_link in _canonical(address):
                if canonical_link not in self.not_articles:
                    return address, canonical_link
        return "", ""

    def _made_up_link(self, raw: dict[str, Any], title: str, stated_date: str) -> str:
        """A stable key for an entry without a page: the feed's address and a hash of its id, or of title and date."""
        identity = str(raw.get("id") or f"{title}\x1f{stated_date}")
        return f"{canonicalise(self.url)[: MAX_URL - 50]}#entry-{hashlib.sha256(identity.encode()).hexdigest()[:32]}"

    def _moment(self, raw: dict[str, Any], stated_date: str) -> dates.Moment | None:
        moment = dates.read(stated_date, self.zone)
        if moment is not None:
            return moment
        # Formats of other countries, which feedparser reads as UTC.
        parts = raw.get("published_parsed") or raw.get("updated_parsed")
        return dates.Moment(datetime.fromtimestamp(timegm(parts), UTC), "minute") if parts else None

    def _original(self, raw: dict[str, Any]) -> str:
        """Where the entry says its news was taken from."""
        stated = raw.get("dc_source", "")
        if str(stated).startswith(("http://", "https://")):
            return _absolute(self.url, stated)
        source = raw.get("source") or {}
        return _absolute(self.url, source.get("link") or source.get("href"))


def _texts(raw: dict[str, Any]) -> tuple[str, str, bool]:
    """The lead, the longest text, and whether that text is the whole article."""
    summary = _plain(raw.get("summary_detail") or {"value": raw.get("summary", ""), "type": "text/html"})
    contents = [_plain(content) for content in raw.get("content", [])]
    contents.append(text.clean(str(raw.get("yandex_full-text", ""))))
    content = max(contents, key=len)
    full = max(summary, content, key=len)[:MAX_TEXT]
    lead = summary if summary != full else full.split("\n\n", 1)[0]
    enough = ENOUGH_FULL_TEXT if len(content) > len(summary) else ENOUGH_TEXT
    return text.shorten(lead, MAX_LEAD), full, len(full) >= enough and not CUT_OFF.search(full)


def _plain(detail: Any) -> str:
    """The plain text of a construct that feedparser has told the type of."""
    if not detail:
        return ""
    is_html = detail.get("type", "text/html") in {"text/html", "application/xhtml+xml"}
    return text.from_html(detail["value"]) if is_html else text.clean(detail["value"])


def _first(items: Any, key: str) -> str:
    return next((str(item[key]) for item in items or [] if item.get(key)), "")


def _image(raw: dict[str, Any]) -> str:
    """The picture of an entry: an enclosure, a media element, or the first one in its text."""
    for link in raw.get("links", []):
        if link.get("rel") == "enclosure" and str(link.get("type", "")).startswith("image/"):
            return str(link.get("href", ""))
    for media in raw.get("media_content", []):
        if media.get("medium") == "image" or str(media.get("type", "")).startswith("image/"):
            return str(media.get("url", ""))
    if thumbnail := _first(raw.get("media_thumbnail"), "url"):
        return thumbnail
    written = [content.get("value", "") for content in raw.get("content", [])] + [raw.get("summary", "")]
    return next((image for image in map(text.first_image, written) if image), "")


def _language(words: str, declared: str) -> str:
    """Told from the script; a feed's own claim counts only within that script, for many Russian feeds say en-US."""
    claim = re.split("[-_]", declared.strip().lower(), maxsplit=1)[0][:8]
    if len(CYRILLIC.findall(words)) >= len(LATIN.findall(words)):
        return claim if claim in OTHER_CYRILLIC_LANGUAGES else "ru"
    return "en" if claim in OTHER_CYRILLIC_LANGUAGES | {"ru", ""} else claim
