"""One page of a source, whether it is a feed or a site's list: fetched, and read to entries. No database here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.utils import timezone
from django.utils.translation import gettext as _

from articles import http
from articles.feeds import Feed
from articles.models import Source
from articles.parsing import Parsers
from articles.sites import reading
from articles.sites.pages import Listing
from articles.sites.reading import NotDescribed, NothingFound
from articles.sites.selectors import Selectors


@dataclass(frozen=True, slots=True)
class Page:
    """What came. `fingerprint` changes whenever something else may be read; empty if the server says "as before".

    `read` gives the entries; it raises Unreadable. `yields` is what a site's list yields by kind.
    """

    response: http.Response
    fingerprint: str
    read: Callable[[], Feed]
    yields: dict[str, int] | None = None

    @property
    def validators(self) -> tuple[str, str]:
        """ETag and Last-Modified, as far as they can be kept."""
        return self.response.validator("etag", 500), self.response.validator("last-modified", 100)


def fetch(
    source: Source, parsers: Parsers, *, url: str = "", number: int = 1, etag: str = "", last_modified: str = ""
) -> Page:
    """The source's first page or, with its `url` and `number`, a later one.

    Raises http.FetchError, robots.Disallowed, or Unreadable, which `Page.read` may do as well.
    """
    if source.kind == Source.Kind.SITE:
        return _of_site(source, url or source.url, number, etag, last_modified)
    response = http.fetch(
        url or source.url, etag=etag, last_modified=last_modified, target="feed", pace=reading.pace(source)
    )
    content_type = response.headers.get("content-type", "")
    entries = partial(parse, source, response.body, parsers, response.url, content_type)
    return Page(response, "" if response.not_modified else hashlib.sha256(response.body).hexdigest(), entries)


def parse(source: Source, body: bytes, parsers: Parsers, url: str = "", content_type: str = "") -> Feed:
    """A feed's bytes to its entries. Raises Unreadable."""
    return parsers.parse(
        body,
        url=url or source.url,
        now=timezone.now(),
        content_type=content_type,
        encoding=source.encoding,
        time_zone=source.time_zone,
    )


def next_page(found: Selectors, listing: Listing, number: int) -> str:
    """Where the page behind page `number` of a site's list is; empty if there is none."""
    if listing.next_url or not found.list.address or number >= listing.pages > 0:
        return listing.next_url
    return found.list.address_of(number + 1)


def _of_site(source: Source, url: str, number: int, etag: str, last_modified: str) -> Page:
    found = reading.described(source)
    if not found.reads_lists:
        raise NotDescribed(_("What stands where on this site's pages has not been described: see its selectors."))
    response = reading.fetch(source, url, etag=etag, last_modified=last_modified)
    if response.not_modified:
        return Page(response, "", partial(_with_entries, Feed("", response.url, response.url, ())))
    listing = reading.listing(source, found, response, found.list)
    feed = Feed("", response.url, response.url, listing.entries, next_page(found, listing, number))
    return Page(response, listing.fingerprint, partial(_with_entries, feed), listing.yields)


def _with_entries(feed: Feed) -> Feed:
    if not feed.entries:
        raise NothingFound(_("No article was found on the page."))
    return feed
