"""`manage.py summarise`: summaries, or forecast notes, for what awaits one, or new ones for what has one."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import click
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from django.utils import timezone

from articles.estimating import Estimate, estimate, estimate_notes
from articles.forecasts import planning, writing
from articles.management.arguments import day, positive
from articles.models import Article, ForecastNote, Source
from articles.summarise import awaiting_summary, summarise_article
from usage.models import Provider
from usage.stopping import stopped_by_signals


def midnight(of: date) -> datetime:
    """The beginning of a day in TIME_ZONE."""
    return timezone.make_aware(datetime.combine(of, time.min))


@dataclass(frozen=True)
class Work:
    """What is written for articles, and the words in which the command tells of it.

    `write` takes an article's number and status, whether a new version is wanted, and a provider's name or nothing.
    """

    done: str
    would: str
    label: str
    failure: str
    awaiting: Callable[[bool], QuerySet[Article]]
    estimate: Callable[..., Estimate]
    write: Callable[[int, str, bool, str], str]


class Command(BaseCommand):
    help = (
        "Summarise articles that await it: those that are due, and those of sources that leave it to people. "
        "With --forecast, write forecast notes instead: an analysis with what may come of the news. "
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
        parser.add_argument(
            "--forecast",
            dest="notes",
            action="store_true",
            help="write forecast notes instead of summaries; takes a language model",
        )
        parser.add_argument("--force", action="store_true", help="a new version also for what has a summary or failed")
        parser.add_argument("--dry-run", action="store_true", help="say what would be summarised, and change nothing")
        parser.add_argument("--yes", action="store_true", help="don't ask whether the estimated price is all right")

    def handle(
        self,
        *args: Any,
        dry_run: bool,
        force: bool,
        notes: bool,
        limit: int | None,
        provider: str,
        yes: bool,
        **options: Any,
    ) -> None:
        work = NOTES if notes else SUMMARIES
        if provider and not Provider.objects.filter(name=provider, is_enabled=True).exists():
            raise CommandError(f"There is no provider {provider!r}, or it is switched off. The admin lists all.")
        if notes:
            self._refuse_without_model(provider)
        selected = self._select(work.awaiting(force), **options)
        articles = list(selected.order_by("-published_at", "-pk").values_list("pk", "status")[:limit])
        price = work.estimate([pk for pk, _status in articles], provider=provider)
        if dry_run:
            self.stdout.write(f"{work.would}={price.articles} estimated_usd={price.cost_usd:.2f}")
            return
        if price.cost_usd and not yes:
            self._confirm(price)
        # A provider must be written into an article's row, and so must the wish for a new version.
        self._write(work, articles, force=force or bool(provider), provider=provider)

    def _refuse_without_model(self, provider: str) -> None:
        if not planning.can_be_written(provider):
            raise CommandError(
                "Forecast notes take a language model: set up a provider in the admin, or give another one."
                " The offline summariser can't write them."
            )

    def _confirm(self, price: Estimate) -> None:
        """Ask whoever sits at the terminal; where nobody does, say how to go on. Raises CommandError."""
        told = f"{price.articles:,} articles ≈ ${price.cost_usd:.2f} with {price.provider}"
        if not sys.stdin.isatty():
            raise CommandError(f"{told}. Add --yes to go on without being asked.")
        if not click.confirm(f"{told}, go on?", err=True):
            raise CommandError("Nothing was written.")

    def _write(self, work: Work, articles: list[tuple[int, str]], *, force: bool, provider: str) -> None:
        counts = Counter({work.done: 0, "skipped": 0, "failed": 0})
        with stopped_by_signals() as stopped, click.progressbar(articles, label=work.label, file=sys.stderr) as bar:
            for pk, status in bar:
                if stopped.is_set():
                    break
                counts[work.write(pk, status, force, provider)] += 1
        self.stdout.write(" ".join(f"{name}={count}" for name, count in counts.items()))
        if stopped.is_set():
            raise CommandError("Stopped before the end. Run the command again to go on.")
        if counts["failed"]:
            raise CommandError(f"Some {work.failure}. Their last error is in the admin.")

    def _select(
        self, selected: QuerySet[Article], *, source: str | None, first: date | None, last: date | None, **_options: Any
    ) -> QuerySet[Article]:
        if first and last and first > last:
            raise CommandError("--from is later than --to.")
        if source:
            if not Source.objects.filter(slug=source).exists():
                raise CommandError(f"There is no source {source!r}. The admin lists the short names of all.")
            selected = selected.filter(source__slug=source)
        if first:
            selected = selected.filter(published_at__gte=midnight(first))
        if last:
            selected = selected.filter(published_at__lt=midnight(last + timedelta(days=1)))
        return selected


def summarise(article_id: int, status: str, force: bool, provider: str) -> str:
    """Summarise an article and say what became of it."""
    # Nobody else makes an article due whose source leaves its summary to people.
    if summarise_article(article_id, force=force or status == Article.Status.STORED, provider=provider):
        return "summarised"
    # Without an error somebody else has taken it in the meantime.
    return "failed" if Article.objects.filter(pk=article_id).exclude(last_error="").exists() else "skipped"


def write_note(article_id: int, _status: str, _force: bool, provider: str) -> str:
    """Ask for an article's forecast note, write it, and say what became of it."""
    for number in planning.request([article_id], provider=provider):
        if writing.write_note(number):
            return "written"
        return "failed" if ForecastNote.objects.filter(pk=number).exclude(last_error="").exists() else "skipped"
    return "skipped"


SUMMARIES = Work(
    done="summarised",
    would="would_summarise",
    label="Summarising",
    failure="articles could not be summarised",
    awaiting=awaiting_summary,
    estimate=estimate,
    write=summarise,
)
NOTES = Work(
    done="written",
    would="would_write",
    label="Writing forecast notes",
    failure="forecast notes could not be written",
    awaiting=planning.awaiting_note,
    estimate=estimate_notes,
    write=write_note,
)
