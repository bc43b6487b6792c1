"""`manage.py summarise`: summaries for what awaits one, or new ones for what has one."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Any

import click
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from django.utils import timezone

from articles.estimating import Estimate, estimate
from articles.models import Article, Source
from articles.summarise import awaiting_summary, summarise_article
from usage.models import Provider
from usage.stopping import stopped_by_signals


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


def midnight(of: date) -> datetime:
    """The beginning of a day in TIME_ZONE."""
    return timezone.make_aware(datetime.combine(of, time.min))


class Command(BaseCommand):
    help = (
        "Summarise articles that await it: those that are due, and those of sources that leave it to people. "
        "It can be stopped and run again at any time; what is done stays done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from", dest="first", type=day, metavar="YYYY-MM-DD", help="published on this day or later"
        )
        parser.add_argument(
            "--to", dest="last", type=day, metavar="YYYY-MM-DD", help="published on this day or earlier"
        )
        parser.add_argument("--source", metavar="SLUG", help="only articles of this source")
        parser.add_argument("--limit", type=positive, metavar="N", help="at most so many articles, the newest first")
        parser.add_argument(
            "--provider", metavar="NAME", default="", help="ask this provider only (default: by priority)"
        )
        parser.add_argument("--force", action="store_true", help="a new version also for what has a summary or failed")
        parser.add_argument("--dry-run", action="store_true", help="say what would be summarised, and change nothing")
        parser.add_argument("--yes", action="store_true", help="don't ask whether the estimated price is all right")

    def handle(
        self, *args: Any, dry_run: bool, force: bool, limit: int | None, provider: str, yes: bool, **options: Any
    ) -> None:
        if provider and not Provider.objects.filter(name=provider, is_enabled=True).exists():
            raise CommandError(f"There is no provider {provider!r}, or it is switched off. The admin lists all.")
        selected = self._select(force=force, **options)
        articles = list(selected.order_by("-published_at", "-pk").values_list("pk", "status")[:limit])
        price = estimate([pk for pk, _status in articles], provider=provider)
        if dry_run:
            self.stdout.write(f"would_summarise={price.articles} estimated_usd={price.cost_usd:.2f}")
            return
        if price.cost_usd and not yes:
            self._confirm(price)
        # A provider must be written into an article's row, and so must the wish for a new version.
        self._summarise(articles, force=force or bool(provider), provider=provider)

    def _confirm(self, price: Estimate) -> None:
        """Ask whoever sits at the terminal; where nobody does, say how to go on. Raises CommandError."""
        told = f"{price.articles:,} articles ≈ ${price.cost_usd:.2f} with {price.provider}"
        if not sys.stdin.isatty():
            raise CommandError(f"{told}. Add --yes to go on without being asked.")
        if not click.confirm(f"{told}, go on?", err=True):
            raise CommandError("Nothing was summarised.")

    def _summarise(self, articles: list[tuple[int, str]], *, force: bool, provider: str) -> None:
        counts = Counter(summarised=0, skipped=0, failed=0)
        with stopped_by_signals() as stopped, click.progressbar(articles, label="Summarising", file=sys.stderr) as bar:
            for pk, status in bar:
                if stopped.is_set():
                    break
                # Nobody else makes an article due whose source leaves its summary to people.
                counts[outcome(pk, force=force or status == Article.Status.STORED, provider=provider)] += 1
        self.stdout.write(" ".join(f"{name}={count}" for name, count in counts.items()))
        if stopped.is_set():
            raise CommandError("Stopped before the end. Run the command again to go on.")
        if counts["failed"]:
            raise CommandError("Some articles could not be summarised. Their last error is in the admin.")

    def _select(
        self, *, force: bool, source: str | None, first: date | None, last: date | None, **_options: Any
    ) -> QuerySet[Article]:
        if first and last and first > last:
            raise CommandError("--from is later than --to.")
        selected = awaiting_summary(force)
        if source:
            if not Source.objects.filter(slug=source).exists():
                raise CommandError(f"There is no source {source!r}. The admin lists the short names of all.")
            selected = selected.filter(source__slug=source)
        if first:
            selected = selected.filter(published_at__gte=midnight(first))
        if last:
            selected = selected.filter(published_at__lt=midnight(last + timedelta(days=1)))
        return selected


def outcome(article_id: int, *, force: bool, provider: str) -> str:
    """Summarise an article and say what became of it."""
    if summarise_article(article_id, force=force, provider=provider):
        return "summarised"
    # Without an error somebody else has taken it in the meantime.
    return "failed" if Article.objects.filter(pk=article_id).exclude(last_error="").exists() else "skipped"
