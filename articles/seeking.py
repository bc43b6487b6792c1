"""An archive of pages from its oldest wanted one, which is looked for by doubling and halving and walked back from.

Articles that appear meanwhile push others to pages that were read before. So the first page is looked at once more in
the end: if another article stands first, the walk is followed by one in the pages' own order, which misses none.
"""

from __future__ import annotations

from articles.place import Place
from articles.sites.pages import MOST_PAGES, Listing

SEEK, BACK, CHECK = "seek", "back", "check"


def narrow(place: Place, listing: Listing | None, *, is_beyond: bool) -> None:
    """Make of what the page has turned out to be which one is looked at next: behind the last, or none at all, it is
    beyond. With the oldest wanted page the walk back begins; without any it is over.
    """
    # Looking costs a few pages, which are none of those that were asked for.
    place.pages_before += listing is not None
    if is_beyond:
        place.high = place.page
    else:
        place.low = place.page
        _learn(place, listing)
    if place.high == 1:
        place.is_over = True
    elif place.high == place.low + 1:
        place.page, place.phase, place.seen = place.low, BACK, ""
    else:
        place.page = (place.low + place.high) // 2 if place.high else place.low * 2


def _learn(place: Place, listing: Listing | None) -> None:
    if listing is None:
        return
    place.seen = listing.fingerprint
    if place.page == 1:
        place.top = listing.entries[0].canonical_link
    if not place.high:
        place.high = _end(place, listing)


def _end(place: Place, listing: Listing) -> int:
    """The page behind the last one, if that is known; nought otherwise."""
    if listing.pages:
        return max(listing.pages, place.page) + 1
    return place.page + 1 if place.page >= MOST_PAGES else 0


def step_back(place: Place) -> None:
    """From a page to the newer one; from the first page to a last look at it."""
    if place.page > 1:
        place.page -= 1
    else:
        place.phase, place.seen = CHECK, ""


def has_stood_still(place: Place, listing: Listing) -> bool:
    """Whether the first page begins as it did, so that no page has moved; a page behind it is not asked for this."""
    return place.page == 1 and bool(listing.entries) and listing.entries[0].canonical_link == place.top
