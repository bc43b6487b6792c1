"""What a site lets programs read: robots.txt (RFC 9309), kept for a day."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _
from protego import Protego

from articles import http
from articles.pacing import Pace

KEPT = timedelta(days=1)  # RFC 9309, section 2.4
MAX_BYTES = 500 * 1024  # section 2.5
DEADLINE = 20.0  # seconds


class Disallowed(Exception):
    """The site's robots.txt does not let this page be read. The text is a sentence for people."""

    code = "robots.txt"
    retry_after: timedelta | None = None


def check(url: str, pace: Pace | None = None) -> None:
    """Raises Disallowed if robots.txt of the address's site shuts it to us, http.FetchError if nobody can tell now."""
    if not _parsed(_rules(url, pace)).can_fetch(url, settings.FETCH_USER_AGENT):
        raise Disallowed(_("The site's robots.txt does not let programs read this page."))


def _rules(url: str, pace: Pace | None) -> str:
    """The site's robots.txt; empty where there is none: then everything may be read (section 2.3.1.3)."""
    parts = urlsplit(url)
    site = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    key = f"robots:{hashlib.sha256(site.encode()).hexdigest()}"
    known = cache.get(key)
    if known is None:
        known = _fetch(f"{site}/robots.txt", pace)
        cache.set(key, known, KEPT.total_seconds())
    return str(known)


def _fetch(url: str, pace: Pace | None) -> str:
    try:
        response = http.fetch(url, max_bytes=MAX_BYTES, deadline=DEADLINE, target="robots", pace=pace)
    except http.BadStatus as error:
        if error.status >= 500 or error.status == 429:  # noqa: PLR2004 - section 2.3.1.4: unreachable, not absent
            raise
        return ""
    return response.body.decode("utf-8", "replace")


@lru_cache(maxsize=100)
def _parsed(rules: str) -> Protego:
    return Protego.parse(rules)
