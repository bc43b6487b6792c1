"""`manage.py backfill`: read a source's archive, or go on where that was stopped."""

from __future__ import annotations

import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any

import click
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from articles import backfilling
from articles.backfill import LEASE, Lost, check
from articles.dates import EARLIEST
from articles.management.arguments import day, positive, row, source_named
from articles.models import BackfillRun
from articles.sites.reading import NotDescribed
from usage.stopping import stopped_by_signals

# What changes in the row of a run that goes on; its counts may still be written by whoever loses it.
RESUMED = ["state", "attempts", "error", "finished_at", "next_step_at"]


class Command(BaseCommand):
    # They would import every page of the admin first; `run`, `migrate` and `check` make them.
    requires_system_checks: list[str] = []
    help = """Read the archive of a source and store what it lists.

  manage.py backfill --source warandpeace --from 2024-01-01 --to 2024-12-31
  manage.py backfill --resume 7                      go on where run 7 was stopped

Nothing of it is summarised or queued by itself. Ctrl-C pauses the run; after a kill or a crash it can be
resumed just so, and a worker beside it goes on with it by itself within seconds, one of another machine
after five minutes. Several runs may read different sources at once.

The last line counts: pages of lists read; articles that are new, updated or unchanged; texts fetched;
pages that failed for good, which stand among the dead letters."""

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **options)

    def add_arguments(self, parser: CommandParser) -> None:
        directions = BackfillRun.Direction
        parser.add_argument("--source", metavar="SLUG", help="whose archive is read")
        parser.add_argument("--from", dest="first", type=day, metavar="YYYY-MM-DD", help="the oldest day")
        parser.add_argument("--to", dest="last", type=day, metavar="YYYY-MM-DD", help="the newest day (default: today)")
        parser.add_argument(
            "--direction", choices=directions.values, default=directions.NEWEST_FIRST, help="default: newest-first"
        )
        parser.add_argument("--pages", type=positive, metavar="N", help="read at most so many pages of lists")
        parser.add_argument(
            "--content", action="store_true", default=True, help="fetch each article's text, too (default)"
        )
        parser.add_argument("--no-content", dest="content", action="store_false", help="store what the lists say only")
        parser.add_argument("--resume", type=row, metavar="ID", help="go on with the run of this number")
        parser.add_argument("--dry-run", action="store_true", help="read the lists and count, but store nothing")

    def handle(self, *args: Any, resume: int | None, dry_run: bool, **options: Any) -> None:
        run = resumed(resume) if resume else planned(**options)
        if dry_run:
            self._rehearse(run)
            return
        run.save(update_fields=RESUMED if resume else None)
        with stopped_by_signals() as stopped:
            walk(run, stopped, label=f"Backfill {run.pk}")
        self.stdout.write(summary(run))
        if run.state != BackfillRun.State.DONE:
            raise CommandError(how_it_ended(run))

    def _rehearse(self, run: BackfillRun) -> None:
        pause: timedelta | None = timedelta(0)
        with stopped_by_signals() as stopped:
            while pause is not None and not stopped.is_set():
                try:
                    pause = backfilling.rehearse(run)
                except NotDescribed as error:
                    raise CommandError(str(error)) from error
                stopped.wait(pause.total_seconds() if pause else 0)
        self.stdout.write(summary(run))
        if run.state != BackfillRun.State.DONE or run.failed_count:
            raise CommandError(run.error or "Stopped before the end.")


def planned(**options: Any) -> BackfillRun:
    """A new run as it is asked for, without a row yet. Raises CommandError."""
    if not options["source"] or not options["first"]:
        raise CommandError("Say which archive and how far back: --source SLUG --from YYYY-MM-DD, or --resume ID.")
    first, last = options["first"], options["last"] or timezone.localdate()
    if max(first, last) > timezone.localdate():
        raise CommandError(f"{max(first, last)} is still to come: no archive has anything of it.")
    if first > last:
        raise CommandError("--from is later than --to.")
    if first < EARLIEST.date():
        raise CommandError(f"--from is before the web: write {EARLIEST.date()} or a later day.")
    source = source_named(options["source"])
    try:
        check(source, options["direction"])
    except NotDescribed as error:
        raise CommandError(str(error)) from error
    return BackfillRun(
        source=source,
        date_from=first,
        date_to=last,
        direction=options["direction"],
        page_limit=options["pages"],
        with_content=options["content"],
        next_step_at=timezone.now() + LEASE,
    )


def resumed(number: int) -> BackfillRun:
    """A run that is to go on. Whoever else works on it loses it. Raises CommandError."""
    run = BackfillRun.objects.select_related("source").filter(pk=number).first()
    if run is None:
        raise CommandError(f"There is no run {number}. The admin lists them under Backfills.")
    if run.state == BackfillRun.State.DONE:
        raise CommandError(f"Run {number} is done.")
    run.state, run.attempts, run.error, run.finished_at = BackfillRun.State.PENDING, 0, "", None
    run.next_step_at = timezone.now() + LEASE
    return run


def walk(run: BackfillRun, stopped: Event, *, label: str, on_step: Callable[[], None] = lambda: None) -> None:
    """Take the steps of a saved run until its end, or until it is asked to stop: then it is paused."""
    with click.progressbar(length=run.days, label=label, file=sys.stderr, show_pos=True) as bar:
        pause = timedelta(0) if run.claim(LEASE) else None
        while pause is not None and not stopped.is_set():
            try:
                pause = backfilling.take_step(run, holds=True)
            except Lost:
                break
            bar.update(run.days_done - bar.pos)
            on_step()
            stopped.wait(pause.total_seconds() if pause else 0)
    if stopped.is_set() and run.state == BackfillRun.State.RUNNING:
        BackfillRun.objects.held(run).pause()
    run.refresh_from_db()


def summary(run: BackfillRun) -> str:
    """The last line of what is printed."""
    run_number = f"run={run.pk} " if run.pk else ""
    return (
        f"{run_number}pages={run.pages} new={run.created_count} updated={run.updated_count} "
        f"unchanged={run.unchanged_count} texts={run.text_count} failed={run.failed_count}"
    )


def how_it_ended(run: BackfillRun) -> str:
    """Why a run is not done, and what can be done about it."""
    match run.state:
        case BackfillRun.State.FAILED:
            return f"{run.error} Go on later with: manage.py backfill --resume {run.pk}"
        case BackfillRun.State.PAUSED:
            return f"Paused. Go on with: manage.py backfill --resume {run.pk}"
        case BackfillRun.State.CANCELLED:
            return "It was cancelled in the meantime."
        case _:
            return "Somebody else has taken this run over: the admin shows how far it is."
