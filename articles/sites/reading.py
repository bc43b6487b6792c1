"""A site's pages through the one door: what its source says of manners, encoding, zone and places is obeyed here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _

from articles import charset, http, parsing, robots
from articles.feeds import Unreadable
from articles.models import Source
from articles.pacing import Pace
from articles.sites import pages, selectors
from articles.sites.pages import Circumstances, Found, Listing
from articles.sites.selectors import ListPage, Mistaken, Selectors

DEADLINE = 45.0  # seconds
MAX_BYTES = 5_000_000

Result = TypeVar("Result")


class UnreadableSite(Unreadable):
    """A site that cannot be read. The text is a sentence for people.

    UnreadableSite
    ├── NotDescribed    its selectors are missing or wrong
    ├── NoPage          what came is a file, not a page, or one that is made to break its readers
    └── NothingFound    no article stands where articles should
    """

    retry_after = None

    @property
    def code(self) -> str:
        return type(self).__name__


class NotDescribed(UnreadableSite):
    pass


class NoPage(UnreadableSite):
    pass


class NothingFound(UnreadableSite):
    pass


def described(source: Source) -> Selectors:
    """What the source says of its site's pages. Raises NotDescribed."""
    try:
        found = selectors.read(source.selectors)
        ZoneInfo(source.time_zone)
    except Mistaken as error:
        raise NotDescribed(str(error.mistakes[0])) from error
    except (KeyError, ValueError, OSError) as error:
        raise NotDescribed(_("The time zone of this source is unknown.")) from error
    return found


def pace(source: Source) -> Pace:
    """How often this source's server may be asked."""
    return Pace(source.delay_seconds, source.connections)


def fetch(
    source: Source,
    url: str,
    *,
    etag: str = "",
    last_modified: str = "",
    target: str = "page",
    deadline: float = DEADLINE,
) -> http.Response:
    """A page of the source's site, politely. Raises http.FetchError, robots.Disallowed or NoPage."""
    manners = robots.check(url, pace(source)) if source.obey_robots else pace(source)
    response = http.fetch(
        url,
        etag=etag,
        last_modified=last_modified,
        max_bytes=MAX_BYTES,
        deadline=deadline,
        target=target,
        pace=manners,
    )
    kind = response.headers.get("content-type", "text/html").lower()
    if not response.not_modified and not any(each in kind for each in ("html", "xml", "text/")):
        raise NoPage(_("The address leads to a file, not to a page."))
    return response


def document(source: Source, response: http.Response) -> str:
    """The text of a page."""
    content_type = response.headers.get("content-type", "")
    return charset.decode(response.body, content_type=content_type, override=source.encoding)


def around(source: Source, found: Selectors, url: str, day: date | None = None) -> Circumstances:
    """What reading one of the source's pages depends on."""
    return Circumstances(url, ZoneInfo(source.time_zone), timezone.now(), found.date_formats, day)


def listing(
    source: Source, found: Selectors, response: http.Response, places: ListPage, day: date | None = None
) -> Listing:
    """The articles on a page of a list or of the archive."""
    page = document(source, response)
    return within_limits(partial(pages.read_list, page, places, around(source, found, response.url, day)))


def article(source: Source, found: Selectors, response: http.Response) -> Found:
    """What the page of an article says where the source's selectors look for it."""
    page = document(source, response)
    return within_limits(partial(pages.read_article, page, found.article, around(source, found, response.url)))


def within_limits(read: Callable[[], Result], *, needs: str = "") -> Result:
    """What is read of a stranger's page, where that has so much time and memory and no more. Raises NoPage."""
    try:
        return parsing.shared().run(read, needs=needs)
    except parsing.TooMuch as error:
        raise NoPage(_("The page takes too much time or memory to be read.")) from error
