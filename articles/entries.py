"""The entries of a feed, as feedparser found them, to clean values. Pure, without Django: workers parse."""

from __future__ import annotations

import hashlib
import re
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from articles import dates, text
from articles.canonical import MAX_LENGTH, NotCanonical, canonicalise

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

OTHER_CYRILLIC_LANGUAGES = {"uk", "be", "bg", "sr", "mk", "kk", "ky", "mn", "tg", "tt", "ba", "os"}
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
LATIN = re.compile("[a-z]", re.IGNORECASE)


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


def absolute(base: str, link: object) -> str:
    """An http(s) address, resolved against the feed's; empty for anything else."""
    if not link:
        return ""
    try:
        address = urljoin(base, str(link).strip())
    except ValueError:
        return ""
    is_web = address[:8].lower().startswith(("http://", "https://"))
    return address if is_web and len(address) <= MAX_LENGTH else ""


def canonical_forms(*addresses: str) -> Iterator[str]:
    """The canonical forms of those addresses that have one."""
    for address in addresses:
        try:
            yield canonicalise(address)
        except NotCanonical:
            continue


@dataclass(frozen=True, slots=True)
class Reader:
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
        image_url = absolute(self.url, _image(raw))
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
            language=language_of(f"{title} {full[:200]}", self.language),
            entry_hash=hashlib.sha256("\x1f".join(said).encode()).hexdigest(),
        )

    def _addresses(self, raw: dict[str, Any]) -> tuple[str, str]:
        """The address of the entry's page and its canonical form; both empty if it has none."""
        guid = str(raw.get("id", ""))
        is_permalink = guid.startswith(("http://", "https://", "/"))
        # feedparser takes a guid for the missing link, as RSS 2.0 has it, even where it is a mere number.
        link = raw.get("link") if is_permalink or raw.get("link") != guid else ""
        for candidate in filter(None, (raw.get("feedburner_origlink"), link, guid if is_permalink else "")):
            address = absolute(self.url, candidate)
            for canonical_link in canonical_forms(address):
                if canonical_link not in self.not_articles:
                    return address, canonical_link
        return "", ""

    def _made_up_link(self, raw: dict[str, Any], title: str, stated_date: str) -> str:
        """A stable key for an entry without a page: the feed's address and a hash of its id, or of title and date."""
        identity = str(raw.get("id") or f"{title}\x1f{stated_date}")
        return f"{canonicalise(self.url)[: MAX_LENGTH - 50]}#entry-{hashlib.sha256(identity.encode()).hexdigest()[:32]}"

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
            return absolute(self.url, stated)
        source = raw.get("source") or {}
        return absolute(self.url, source.get("link") or source.get("href"))


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


def language_of(words: str, declared: str) -> str:
    """Told from the script; a feed's own claim counts only within that script, for many Russian feeds say en-US."""
    claim = re.split("[-_]", declared.strip().lower(), maxsplit=1)[0][:8]
    if len(CYRILLIC.findall(words)) >= len(LATIN.findall(words)):
        return claim if claim in OTHER_CYRILLIC_LANGUAGES else "ru"
    return "en" if claim in OTHER_CYRILLIC_LANGUAGES | {"ru", ""} else claim
