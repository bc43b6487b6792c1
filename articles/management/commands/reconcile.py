"""`manage.py reconcile`: compare sources with the database day by day, and fetch what is missing."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from articles import reconcile
from articles.backfill import LEASE
from articles.management.arguments import source_named, whole
from articles.management.commands.backfill import how_it_ended, walk
from articles.models import BackfillRun
from usage.stopping import stopped_by_signals

MOST_DAYS = 36_525  # a century


class Command(BaseCommand):
    # They would import every page of the admin first; `run`, `migrate` and `check` make them.
    requires_system_checks: list[str] = []
    help = """Compare the archives of sources with the database, day by day, and fetch what is missing.

  manage.py reconcile --days 7                       all sources with an archive
  manage.py reconcile --days 30 --source warandpeace
  manage.py reconcile --days 7 --dry-run             only say what is missing

Each day is a line: what its archive lists, what of it was not in the database, and what has been fetched.
What was missing is stored, but neither summarised nor queued by itself."""

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **options)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days", type=whole(MOST_DAYS), required=True, metavar="N", help="so many days back, today included"
        )
        parser.add_argument("--source", metavar="SLUG", help="only this source (default: all that have an archive)")
        parser.add_argument("--dry-run", action="store_true", help="only compare: no article is stored")

    def handle(self, *args: Any, days: int, source: str | None, dry_run: bool, **options: Any) -> None:
        sources = [source_named(source)] if source else reconcile.with_archives()
        if source and not reconcile.has_archive(sources[0]):
            raise CommandError(f"{source} has no archive: its selectors don't say what stands where in a list.")
        listed = missing = fetched = 0
        unfinished: list[str] = []
        with stopped_by_signals() as stopped:
            for each in sources:
                run = reconcile.plan(each, days, is_dry=dry_run, next_step_at=timezone.now() + LEASE)
                walk(run, stopped, label=each.slug)
                for day, its_listed, its_missing in reconcile.days_of(run):
                    self.stdout.write(f"{day} {each.slug} listed={its_listed} missing={its_missing}")
                    listed, missing = listed + its_listed, missing + its_missing
                fetched += run.created_count
                if run.state != BackfillRun.State.DONE:
                    unfinished.append(f"{each.slug}: {how_it_ended(run)}")
        self.stdout.write(f"sources={len(sources)} days={days} listed={listed} missing={missing} fetched={fetched}")
        if unfinished:
            raise CommandError(" ".join(unfinished))
