"""What the commands of this app read from their command lines."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from difflib import get_close_matches

from django.core.management.base import CommandError

from articles.models import Source

MOST_DIGITS = 40


def day(text: str) -> date:
    """A date for argparse."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write YYYY-MM-DD, as in 2026-11-22") from error


def whole(most: int) -> Callable[[str], int]:
    """A whole number from 1 to `most`, for argparse."""

    def read(text: str) -> int:
        number = int(text) if text.isdecimal() and len(text) < MOST_DIGITS else 0
        if number < 1:
            raise argparse.ArgumentTypeError(f"{text[:MOST_DIGITS]!r} is not a whole number from 1 on")
        if number > most:
            raise argparse.ArgumentTypeError(f"{number} is too much: {most} at most")
        return number

    return read


# What fits a database's integer, and the number of any row.
positive = whole(2**31 - 1)
row = whole(2**63 - 1)


def source_named(slug: str) -> Source:
    """The source of this short name. Raises CommandError with what may have been meant."""
    source = Source.objects.filter(slug=slug).first()
    if source is None:
        near = get_close_matches(slug, Source.objects.values_list("slug", flat=True), n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else " The admin lists them under Sources."
        raise CommandError(f"There is no source {slug}.{hint}")
    return source
