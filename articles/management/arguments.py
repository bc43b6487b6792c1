"""What the commands of this app read from their command lines."""

from __future__ import annotations

import argparse
from datetime import date
from difflib import get_close_matches

from django.core.management.base import CommandError

from articles.models import Source


def day(text: str) -> date:
    """A date for argparse."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write YYYY-MM-DD, as in 2026-11-22") from error


def positive(text: str) -> int:
    """A whole number from 1 on, for argparse."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return number


def source_named(slug: str) -> Source:
    """The source of this short name. Raises CommandError with what may have been meant."""
    source = Source.objects.filter(slug=slug).first()
    if source is None:
        near = get_close_matches(slug, Source.objects.values_list("slug", flat=True), n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else " The admin lists them under Sources."
        raise CommandError(f"There is no source {slug}.{hint}")
    return source
