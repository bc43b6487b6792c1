"""After an outage the first page is not enough: older ones are read until one is met whose last entry is known.

All of them are stored together, or a kill would leave a hole behind a first page that is known. A hole that stays,
because a page failed or there were too many, is left to a run through the archive, in the same transaction.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

from articles import fetching, http
from articles.entries import Entry
from articles.feeds import Feed, Unreadable
from articles.models import Article, BackfillRun, Source
from articles.outcomes import Read
from articles.parsing import Parsers
from articles.robots import Disallowed
from articles.sites import reading
from articles.sites.reading import NotDescribed, NothingFound

logger = logging.getLogger(__name__)

MOST_PAGES = 40
# Seconds; well within the lease of a fetch.
LONGEST = 240.0


@dataclass(frozen=True, slots=True)
class Whole:
    """A source's first page with all behind it that was missed. `hole` are the first and last day of what still is."""

    feed: Feed
    hole: tuple[date, date] | None = None


def whole(read: Read, parsers: Parsers) -> Whole:
    """What a source has brought, with the pages that were missed. One that was never read before has missed none."""
    source, feed = read.source, read.feed
    if source.last_success_at is None:
        return Whole(feed)
    entries = {entry.canonical_link: entry for entry in feed.entries}
    page, number, give_up_at = feed, 1, time.monotonic() + LONGEST
    is_cut = False
    while page.next_url and page.entries and not _is_known(page.entries[-1]):
        number += 1
        older = _page(source, page.next_url, number, parsers) if number <= MOST_PAGES else None
        is_cut = older is None or time.monotonic() > give_up_at
        if older is None or is_cut or all(entry.canonical_link in entries for entry in older.entries):
            break
        page = older
        entries |= {entry.canonical_link: entry for entry in page.entries if entry.canonical_link not in entries}
    hole = _hole(source, list(entries.values())) if is_cut else None
    return Whole(replace(feed, entries=tuple(entries.values())), hole)


def leave_to_archive(source: Source, hole: tuple[date, date]) -> None:
    """Plan a run through the archive over the days of a hole."""
    first, last = hole
    BackfillRun.objects.create(
        source=source,
        date_from=first,
        date_to=last,
        origin=BackfillRun.Origin.CATCH_UP,
        next_step_at=timezone.now(),
    )


def _is_known(entry: Entry) -> bool:
    return Article.objects.filter(canonical_link=entry.canonical_link).exists()


def _page(source: Source, url: str, number: int, parsers: Parsers) -> Feed | None:
    """A later page; one without entries is the end of the list; None if it could not be read."""
    try:
        return fetching.fetch(source, parsers, url=url, number=number).read()
    except NothingFound:
        return Feed("", url, url, ())
    except (http.FetchError, Unreadable, Disallowed) as error:
        logger.warning("source %s: page %d could not be read: %s", source.slug, number, error)
        return None


def _hole(source: Source, entries: list[Entry]) -> tuple[date, date] | None:
    """From the day of the newest article that is known to that of the oldest that has come; None without an archive."""
    try:
        if not reading.described(source).reads_lists:
            return None
    except NotDescribed:
        return None
    now = timezone.now()
    known = Article.objects.filter(source=source).order_by("-published_at").values_list("published_at", flat=True)
    come = [entry.published.at for entry in entries if entry.published]
    first, last = (_day(moment, source) for moment in (known.first() or now, min(come, default=now)))
    return min(first, last), last


def _day(moment: datetime, source: Source) -> date:
    return moment.astimezone(ZoneInfo(source.time_zone)).date()
