"""A site's pages to entries and texts, by their source's selectors. Pure: a document's text in, values out."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from selectolax.lexbor import LexborHTMLParser, LexborNode

from articles import dates, text
from articles.entries import MAX_LEAD, MAX_TEXT, MAX_TITLE, MAX_TOPIC, Entry, absolute, canonical_forms, language_of
from articles.sites.selectors import ArticlePage, ListPage, Place

# A page with more is none that people read.
MOST_ITEMS = 1000
MOST_PAGES = 100_000
MOST_TOPICS = 10
# Where what a place means stands in an attribute, if nothing else is said.
ATTRIBUTES = {"link": "href", "original": "href", "next": "href", "image": "src"}
NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What reading a page depends on beside the page: its address, dates' zone and formats, and the time (aware).

    `day` is the one that the archive was asked for: articles without a date are of that day.
    """

    url: str
    zone: ZoneInfo
    now: datetime
    date_formats: tuple[str, ...] = ()
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What stands on one page of a list. `pages` is how many it says there are; nought if it doesn't."""

    entries: tuple[Entry, ...]
    next_url: str
    pages: int

    @property
    def yields(self) -> dict[str, int]:
        """How many entries it has, and how many of them have what: what a site used to yield is compared with that."""
        found = Counter(entries=len(self.entries))
        for entry in self.entries:
            found["dates"] += entry.published is not None
            found["leads"] += bool(entry.lead)
            found["topics"] += bool(entry.topic)
        return dict(found)

    @property
    def fingerprint(self) -> str:
        """Changes with anything that is read, and with nothing else on the page."""
        return hashlib.sha256("".join(entry.entry_hash for entry in self.entries).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Found:
    """What an article's page says; what is not there is empty. `html` is the text's own markup, nothing cleaned."""

    text: str = ""
    title: str = ""
    published: dates.Moment | None = None
    lead: str = ""
    topic: str = ""
    original_url: str = ""
    image_url: str = ""
    html: str = ""
    # Found without selectors, by what articles usually look like.
    is_guessed: bool = False


def read_list(document: str, selectors: ListPage, around: Circumstances) -> Listing:
    """The articles on a page of a list or an archive, in its order, each address once."""
    tree = LexborHTMLParser(document)
    base = _base(tree, around.url)
    not_articles = frozenset(canonical_forms(around.url, base))
    entries: dict[str, Entry] = {}
    for item in _innermost(tree.css(selectors.item.css)[:MOST_ITEMS]):
        entry = _entry(item, selectors, base, around)
        if entry and entry.canonical_link not in not_articles:
            entries.setdefault(entry.canonical_link, entry)
    next_url = absolute(base, _value(tree, selectors.next, "next"))
    return Listing(tuple(entries.values()), next_url, _pages(tree, selectors.pages))


def read_article(document: str, selectors: ArticlePage, around: Circumstances) -> Found:
    """The text of an article and what its page says of it; an empty text if it isn't where it should be."""
    tree = LexborHTMLParser(document)
    base = _base(tree, around.url)
    if selectors.without.css:
        for node in tree.css(selectors.without.css):
            node.decompose()
    found = list(_outermost(tree.css(selectors.text.css))) if selectors.text.css else []
    written = "".join(f"<div>{node.html or ''}</div>" for node in found)
    return Found(
        text=text.from_html(written)[:MAX_TEXT],
        title=text.shorten(text.one_line(_value(tree, selectors.title)), MAX_TITLE),
        published=_moment(_value(tree, selectors.date), around),
        lead=text.shorten(text.clean(_value(tree, selectors.lead)), MAX_LEAD),
        topic=_topics(tree, selectors.topic),
        original_url=absolute(base, _value(tree, selectors.original, "original")),
        image_url=absolute(base, _value(tree, selectors.image, "image")),
        html=written[:MAX_TEXT],
    )


def _base(tree: LexborHTMLParser, url: str) -> str:
    """What links are relative to."""
    stated = tree.css_first("base[href]")
    try:
        return urljoin(url, (stated.attributes.get("href") or "").strip()) if stated else url
    except ValueError:
        return url


def _innermost(items: list[LexborNode]) -> Iterator[LexborNode]:
    """The items that hold no other one: a site's frame often looks like what stands in it."""
    holders = {parent.mem_id for item in items for parent in _above(item)}
    return (item for item in items if item.mem_id not in holders)


def _outermost(nodes: list[LexborNode]) -> Iterator[LexborNode]:
    """The nodes that are in no other one, so that no text is read twice."""
    known = {node.mem_id for node in nodes}
    return (node for node in nodes if not any(parent.mem_id in known for parent in _above(node)))


def _above(node: LexborNode) -> Iterator[LexborNode]:
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def _entry(item: LexborNode, selectors: ListPage, base: str, around: Circumstances) -> Entry | None:
    """One article of a list; None if it has no address or no title."""
    page_url = absolute(base, _value(item, selectors.link, "link"))
    canonical_link = next(canonical_forms(page_url), "")
    stated_title = _value(item, selectors.title or Place(selectors.link.css))
    title = text.shorten(text.one_line(stated_title), MAX_TITLE)
    if not canonical_link or not title:
        return None
    stated_date = text.one_line(_value(item, selectors.date))
    lead = text.shorten(text.clean(_value(item, selectors.lead)), MAX_LEAD)
    topic = _topics(item, selectors.topic)
    original_url = absolute(base, _value(item, selectors.original, "original"))
    image_url = absolute(base, _value(item, selectors.image, "image"))
    said = (canonical_link, title, stated_date, lead, topic, image_url, original_url)
    return Entry(
        canonical_link=canonical_link,
        page_url=page_url,
        title=title,
        published=_moment(stated_date, around) or _day(around),
        lead=lead,
        text=lead,
        is_complete=False,
        topic=topic,
        image_url=image_url,
        original_url=original_url,
        language=language_of(f"{title} {lead[:200]}", ""),
        entry_hash=hashlib.sha256("\x1f".join(said).encode()).hexdigest(),
    )


def _value(node: LexborNode | LexborHTMLParser, place: Place, meaning: str = "") -> str:
    """The text or the attribute at a place, as it is written; empty if there is no such place."""
    if not place:
        return ""
    found = node.css_first(place.css) if place.css else node
    if found is None:
        return ""
    attribute = place.attribute or ATTRIBUTES.get(meaning, "")
    if attribute and isinstance(found, LexborNode):
        return (found.attributes.get(attribute) or "").strip()
    if isinstance(found, LexborNode) and "<" not in (found.inner_html or ""):
        # Nothing but words, as most places are: that needn't be parsed once more.
        return text.clean(" ".join(found.text().split()))
    return text.from_html(found.html or "")


def _topics(node: LexborNode | LexborHTMLParser, place: Place) -> str:
    """Every topic at a place, with semicolons between them: each becomes a tag."""
    if not place.css or place.attribute:
        return text.one_line(_value(node, place))[:MAX_TOPIC]
    found = dict.fromkeys(text.one_line(topic.text()).replace(";", ",") for topic in node.css(place.css)[:MOST_TOPICS])
    return text.shorten("; ".join(filter(None, found)), MAX_TOPIC)


def _moment(stated: str, around: Circumstances) -> dates.Moment | None:
    stated = text.one_line(stated)
    moment = dates.read_in(stated, around.date_formats, around.zone) or dates.read(stated, around.zone)
    return dates.sensible(moment, around.now)


def _day(around: Circumstances) -> dates.Moment | None:
    if around.day is None:
        return None
    midnight = datetime.combine(around.day, time.min, tzinfo=around.zone)
    return dates.sensible(dates.in_utc(midnight, around.zone, "day"), around.now)


def _pages(tree: LexborHTMLParser, place: Place) -> int:
    """The last number that a place names: "page 1 of 12"."""
    numbers = NUMBER.findall(_value(tree, place))
    return min(int(numbers[-1][:9]), MOST_PAGES) if numbers else 0
