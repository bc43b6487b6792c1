"""What would be read from a page with selectors that nobody has saved yet: shown to whoever writes them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import nh3
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from articles import http
from articles.entries import Entry
from articles.models import Source
from articles.robots import Disallowed
from articles.sites import pages, reading
from articles.sites.pages import Found, Listing
from articles.sites.reading import UnreadableSite
from articles.sites.selectors import ListPage, Selectors

# Somebody waits for it, in seconds.
DEADLINE = 10.0
MAX_PASTED = 2_000_000  # characters
SHOWN = 50
# Of a foreign page's markup this much is harmless and tells what has been taken; pictures would tell them who looks.
TAGS = {
    "p",
    "br",
    "b",
    "strong",
    "i",
    "em",
    "ul",
    "ol",
    "li",
    "blockquote",
    "h1",
    "h2",
    "h3",
    "h4",
    "table",
    "tr",
    "td",
}


@dataclass(frozen=True, slots=True)
class Look:
    """What was found, or why nothing was. `markup` is the article's own, cleaned."""

    kind: str
    error: str = ""
    listing: Listing | None = None
    found: Found | None = None
    markup: SafeString | str = ""

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self.listing.entries[:SHOWN] if self.listing else ()

    @property
    def lacks(self) -> list[str]:
        """What no article of the list has, in words: usually a selector that is wrong."""
        if not self.listing or not self.listing.entries:
            return []
        yields = self.listing.yields
        named = {"dates": _("a date"), "leads": _("a lead"), "topics": _("a topic")}
        return [name for key, name in named.items() if not yields.get(key)]


def look(source: Source, kind: str, *, url: str = "", html: str = "") -> Look:
    """Read a page of a kind ("list", "article", "archive") from its address, or from pasted HTML, as the source says.

    The source need not be saved. Nothing is stored. An error is a sentence in what is given back.
    """
    try:
        selectors = reading.described(source)
        if html:
            return _read(source, selectors, kind, html[:MAX_PASTED], url or source.url)
        response = reading.fetch(source, url or source.url, deadline=DEADLINE)
        return _read(source, selectors, kind, reading.document(source, response), response.url)
    except (http.FetchError, Disallowed, UnreadableSite) as error:
        return Look(kind, error=str(error))


def _read(source: Source, selectors: Selectors, kind: str, document: str, url: str) -> Look:
    around = reading.around(source, selectors, url)
    if kind == "article":
        found = reading.within_limits(partial(pages.read_article, document, selectors.article, around))
        if not selectors.article.text:
            return Look(kind, error=_("No place of the text is named: it would be told from what articles look like."))
        if not found.text:
            return Look(kind, error=_("No text was found where the selectors look for it."), found=found)
        # nh3 has left what is named above, without attributes.
        markup = mark_safe(nh3.clean(found.html, tags=TAGS, attributes={}))  # noqa: S308
        return Look(kind, found=found, markup=markup)
    places: ListPage = selectors.archive if kind == "archive" else selectors.list
    if not places.item:
        return Look(kind, error=_("No place is named that an article of the list stands in."))
    listing = reading.within_limits(partial(pages.read_list, document, places, around))
    return Look(kind, error="" if listing.entries else _("No article was found on the page."), listing=listing)
