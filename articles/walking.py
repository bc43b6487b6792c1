"""Where a walk through an archive is, and where it goes next. Pure: rows and pages come and go elsewhere.

An archive that can be asked for a day is read day by day, in either direction; another one page by page from its
newest, until a page is older than what is wanted. Oldest first, that page is looked for (`seeking`) and walked from.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from articles import seeking
from articles.entries import Entry
from articles.models import BackfillRun
from articles.place import Place
from articles.sites.pages import Listing
from articles.sites.selectors import ListPage, Selectors

# An archive whose day has more pages than this goes in circles.
MOST_PAGES_OF_DAY = 300


def begin(run: BackfillRun, place: Place, found: Selectors) -> None:
    """Set out: at the first day of the walk, or where the old bot has stopped."""
    if place.day:
        return
    place.pages_before = run.pages
    newest_first = run.direction == BackfillRun.Direction.NEWEST_FIRST
    first = run.date_to if newest_first else run.date_from
    if place.legacy is not None:
        # Its days were those of another zone, and its last one was hardly read to the end.
        first = run.date_to + timedelta(days=1)
        place.page = max(1, int(place.legacy.get("collect_last_page") or 1)) if not found.has_days else 1
    elif not newest_first and not found.has_days:
        place.phase = seeking.SEEK
    place.day = first.isoformat()


def address(place: Place, found: Selectors, list_url: str) -> str:
    """Where the page to be read next is."""
    if place.url:
        return place.url
    if found.has_days:
        day = date.fromisoformat(place.day).strftime(found.archive.day_format)
        return found.archive.address_of(place.page, day)
    pages = places(found)
    return pages.address_of(place.page) if place.page > 1 and pages.address else list_url


def can_go(found: Selectors, direction: str) -> bool:
    """Whether an archive can be read in a direction: what has links to its older pages only cannot begin there."""
    if direction == BackfillRun.Direction.NEWEST_FIRST or found.has_days:
        return True
    return "{page}" in places(found).address


def places(found: Selectors) -> ListPage:
    """What stands where on the pages that are walked through."""
    return found.archive if found.archive.address else found.list


def wanted(run: BackfillRun, place: Place, found: Selectors, listing: Listing) -> list[Entry]:
    """The entries of a page that the run is for: those of its days or, on a day's pages, of that day.

    There the neighbouring days are let in, for clocks differ; but an archive that does not heed what it is asked for
    would list the same for every day.
    """
    first, last = run.date_from, run.date_to
    if found.has_days:
        asked = date.fromisoformat(place.day)
        first, last = asked - timedelta(days=1), asked + timedelta(days=1)
    days = ((entry, day_of(entry, run)) for entry in listing.entries)
    return [entry for entry, day in days if day is None or first <= day <= last]


def day_of(entry: Entry, run: BackfillRun) -> date | None:
    """The day of an entry in the zone of its source; None if it names none."""
    return entry.published.at.astimezone(ZoneInfo(run.source.time_zone)).date() if entry.published else None


def count(run: BackfillRun, place: Place, found: Selectors, entries: list[Entry], missing: set[str]) -> None:
    """Add a page to what is known of its days; `missing` are the canonical links that are no articles."""
    for entry in entries:
        day = place.day if found.has_days else (day_of(entry, run) or date.min).isoformat()
        known = place.days.setdefault(day, [0, 0])
        known[0] += 1
        known[1] += entry.canonical_link in missing


def is_again(place: Place, listing: Listing) -> bool:
    """Whether the page is the one before once more, as behind the last page of some sites."""
    return bool(listing.entries) and listing.fingerprint == place.seen


def go_on(run: BackfillRun, place: Place, found: Selectors, listing: Listing) -> dict[date, list[int]]:
    """Step to the page behind the one that was read; the days that are at an end, with what is known of them."""
    again = is_again(place, listing)
    more = bool(listing.entries) and not again and _has_next(place, found, listing)
    place.last_page = listing.pages or place.last_page
    if place.phase == seeking.SEEK:
        seeking.narrow(place, listing, is_beyond=not listing.entries or again or _is_too_old(run, listing))
        return {}
    place.seen = listing.fingerprint if listing.entries else ""
    if found.has_days:
        return _on_day(run, place, listing, is_more=more and place.page < MOST_PAGES_OF_DAY)
    if place.phase == seeking.BACK:
        return _on_list_backwards(run, place, listing)
    if place.phase == seeking.CHECK and seeking.has_stood_still(place, listing):
        place.is_over = True
        return {}
    return _on_list(run, place, listing, is_more=more)


def is_past_end(place: Place, found: Selectors) -> bool:
    """Whether a page that is not there means that the list has no more of them, rather than a broken one."""
    if found.has_days or place.url or place.page == 1:
        return False
    return place.phase == seeking.SEEK or not (place.phase or place.last_page)


def end_here(place: Place) -> None:
    """Let the list end before the page that was to be read."""
    if place.phase == seeking.SEEK:
        seeking.narrow(place, None, is_beyond=True)
    else:
        place.is_over = True


def _is_too_old(run: BackfillRun, listing: Listing) -> bool:
    days = [day for entry in listing.entries if (day := day_of(entry, run))]
    return bool(days) and max(days) < run.date_from


def skip(run: BackfillRun, place: Place, found: Selectors) -> None:
    """Give up the page that is to be read: the rest of its day remains unknown, and so does what is behind its link."""
    place.skipped_in_row += 1
    if found.has_days:
        place.days.pop(place.day, None)
        _next_day(run, place)
    elif place.phase == seeking.SEEK:
        seeking.narrow(place, None, is_beyond=True)
    elif place.phase == seeking.BACK:
        seeking.step_back(place)
    elif place.url or not places(found).address:
        place.is_over = True
    else:
        place.page += 1


def _has_next(place: Place, found: Selectors, listing: Listing) -> bool:
    if listing.next_url:
        return True
    return "{page}" in places(found).address and (place.page < listing.pages or not listing.pages)


def _on_day(run: BackfillRun, place: Place, listing: Listing, *, is_more: bool) -> dict[date, list[int]]:
    if is_more:
        place.page, place.url = place.page + 1, listing.next_url
        return {}
    known = place.days.pop(place.day, [0, 0])
    place.empty_days = 0 if known[0] else place.empty_days + 1
    day = date.fromisoformat(place.day)
    _next_day(run, place)
    return {day: known}


def _next_day(run: BackfillRun, place: Place) -> None:
    forward = run.direction == BackfillRun.Direction.OLDEST_FIRST
    day = date.fromisoformat(place.day) + timedelta(days=1 if forward else -1)
    place.page, place.url, place.seen, place.days_done = 1, "", "", place.days_done + 1
    place.day = day.isoformat()
    place.is_over = day > run.date_to if forward else day < run.date_from


def _on_list(run: BackfillRun, place: Place, listing: Listing, *, is_more: bool) -> dict[date, list[int]]:
    """Days newer than the newest of this page are at an end: out of order, entries stray for less than a page."""
    days = [day for entry in listing.entries if (day := day_of(entry, run))]
    place.is_over = not is_more or (bool(days) and max(days) < run.date_from)
    place.page, place.url = place.page + 1, listing.next_url
    newest = max(days, default=None)
    over = _ended(place, lambda day: place.is_over or bool(newest and day > newest))
    if newest and place.phase != seeking.CHECK:
        reached = min(newest, run.date_to)
        place.day = reached.isoformat()
        place.days_done = (run.date_to - reached).days
    return over


def _on_list_backwards(run: BackfillRun, place: Place, listing: Listing) -> dict[date, list[int]]:
    """The same with older and newer turned around; behind the newest page it is asked whether pages have moved."""
    days = [day for entry in listing.entries if (day := day_of(entry, run))]
    oldest = min(days, default=None)
    if oldest and oldest > run.date_to:
        place.page = 1
    seeking.step_back(place)
    is_last = place.phase == seeking.CHECK
    over = _ended(place, lambda day: is_last or bool(oldest and day < oldest))
    if oldest:
        reached = max(oldest, run.date_from)
        place.day = min(reached, run.date_to).isoformat()
        place.days_done = min((reached - run.date_from).days, run.days)
    return over


def _ended(place: Place, is_over: Callable[[date], bool]) -> dict[date, list[int]]:
    """Take the days off that are at an end. Entries without a date are of no day."""
    dated = {day: date.fromisoformat(day) for day in place.days if day != date.min.isoformat()}
    return {at: place.days.pop(day) for day, at in dated.items() if is_over(at)}
