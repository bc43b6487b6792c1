"""What a site lets programs read, and how often: its robots.txt (RFC 9309), kept for a day."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _

from articles import http, parsing
from articles.pacing import Pace
from articles.robots_txt import Verdict, judge

KEPT = timedelta(days=1)  # RFC 9309, section 2.4
READ = 500 * 1024  # bytes; section 2.5: the rest may be ignored
DEADLINE = 20.0  # seconds


class Disallowed(Exception):
    """The site's robots.txt does not let this page be read. The text is a sentence for people."""

    code = "robots.txt"
    retry_after: timedelta | None = None


def check(url: str, pace: Pace | None = None) -> Pace:
    """How often the site may be asked for pages as this one: at `pace`, or slower if its robots.txt asks for that.

    Raises Disallowed if robots.txt shuts the address to us, http.FetchError if nobody can tell now.
    """
    pace = pace or Pace()
    verdict = _verdict(_rules(url, pace), url)
    if not verdict.is_open:
        raise Disallowed(_("The site's robots.txt does not let programs read this page."))
    usual = settings.FETCH_SECONDS_BETWEEN_REQUESTS if pace.seconds is None else pace.seconds
    return replace(pace, seconds=verdict.delay) if verdict.delay > usual else pace


def _verdict(rules: str, url: str) -> Verdict:
    try:
        return parsing.shared().run(partial(judge, rules, url, settings.FETCH_USER_AGENT))
    except parsing.TooMuch as error:
        raise Disallowed(_("The site's robots.txt takes too much time or memory to be read.")) from error


def _rules(url: str, pace: Pace) -> str:
    """The site's robots.txt; empty where there is none: then everything may be read (section 2.3.1.3)."""
    parts = urlsplit(url)
    site = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    key = f"robots:{hashlib.sha256(site.encode()).hexdigest()}"
    known = cache.get(key)
    if known is None:
        known = _fetch(f"{site}/robots.txt", pace)
        cache.set(key, known, KEPT.total_seconds())
    return str(known)


def _fetch(url: str, pace: Pace) -> str:
    try:
        response = http.fetch(url, deadline=DEADLINE, target="robots", pace=pace)
    except http.TooManyRedirects:  # section 2.3.1.2: as if there were none
        return ""
    except http.FetchError as error:
        # Section 2.3.1.4: what cannot be reached is not absent. Unlike other answers, 4xx says that there is none.
        if isinstance(error, http.BadStatus) and error.status < 500 and error.status != 429:  # noqa: PLR2004
            return ""
        if isinstance(error, http.BadStatus | http.TooLarge | http.Undecodable):
            error.tell_of("robots.txt")
        raise
    return response.body[:READ].decode("utf-8", "replace")
