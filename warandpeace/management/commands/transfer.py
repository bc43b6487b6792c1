"""`manage.py transfer`: see `warandpeace.transfer`."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import BaseCommand, CommandError, CommandParser
from environ import ImproperlyConfigured

from articles.management.arguments import day, positive
from publishing.holding import release_transferred
from usage.stopping import stopped_by_signals
from warandpeace.transfer.errors import Stopped, TransferError
from warandpeace.transfer.garbage import looked_for_rarely
from warandpeace.transfer.progress import Progress
from warandpeace.transfer.report import (
    check_report,
    followed_lines,
    problem_lines,
    summary,
    table_lines,
    write_quarantine,
    write_report,
)
from warandpeace.transfer.run import Journey, Outcome, Request

STOPPED = 130  # the exit status of whoever was stopped by Ctrl-C
EXAMPLES = """examples:
  manage.py transfer --from old.db --dry-run       what would happen, and every problem; nothing is written
  manage.py transfer --from old.db                 the old bot's file into the configured database
  manage.py transfer --from old.db --verify-only   prove it once more
  manage.py transfer --from old.db --retry-quarantine FILE.jsonl   rows that you have put right
  manage.py transfer --release                     let the queue go on, after the switch
  manage.py transfer --from postgres://user@host/newsroom --to back.sqlite3   the way back

It may be stopped and run again: it goes on where it was, and changes only what has changed in the source.
Exit status 0 means that every row is accounted for and was found equal.
"""


class Command(BaseCommand):
    # Checks load the whole admin: a third of the memory, for nothing that happens here.
    requires_system_checks = ()
    help = "Carry a whole database over, the old bot's file or one of this program, and prove it row by row."

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter, **options
        )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "--from", dest="source", metavar="FILE_OR_URL", help="the old bot's file, or a database of ours"
        )
        what.add_argument(
            "--release", action="store_true", help="release what arrived as held in the configured database"
        )
        parser.add_argument("--to", default="", metavar="URL", help="the target; without it the configured database")
        how = parser.add_mutually_exclusive_group()
        how.add_argument(
            "--dry-run", action="store_true", help="look at the target, read and convert everything, write nothing"
        )
        how.add_argument("--verify-only", action="store_true", help="compare source and target, write nothing")
        parser.add_argument("--tables", type=_names, default=(), metavar="A,B", help="only these tables of the source")
        parser.add_argument("--limit", type=positive, metavar="N", help="only the first N rows of each table")
        parser.add_argument("--since", type=day, metavar="YYYY-MM-DD", help="only rows of this day and later")
        parser.add_argument(
            "--batch-size", type=positive, default=500, metavar="N", help="keys in a block (default: %(default)s)"
        )
        parser.add_argument(
            "--naive-timezone",
            type=_zone,
            default="Europe/Moscow",
            metavar="TZ",
            help="what the old bot's dates without an offset mean (default: %(default)s)",
        )
        parser.add_argument(
            "--retry-quarantine",
            type=Path,
            metavar="FILE.jsonl",
            help="a file of rows in quarantine in which you have put right what stands in `original`",
        )
        parser.add_argument(
            "--without-following",
            action="store_false",
            dest="following",
            help="leave the search index and the stories to the worker and to `manage.py duplicates rebuild`",
        )
        parser.add_argument("--report", type=Path, metavar="FILE.json", help="write the whole account into this file")

    def handle(self, **options: Any) -> None:
        if options["release"]:
            released = release_transferred()
            self.stdout.write(
                f"Released: {released.channels} channels, {released.approved} approved publications, "
                f"{released.to_decide} that await an approval."
            )
            return
        try:
            check_report(options["report"])
            with stopped_by_signals() as stopped:
                outcome = self._travel(options, stopped.is_set)
        except Stopped as error:
            raise CommandError(str(error), returncode=STOPPED) from error
        except (TransferError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        try:
            self._tell(outcome, options["report"])
        except OSError as error:
            again = "Make room, then run the same command again"
            raise CommandError(f"What came of it could not be written down: {error}. {again}.") from error

    def _travel(self, options: dict[str, Any], should_stop: Callable[[], bool]) -> Outcome:
        request = Request(
            source=options["source"],
            target=options["to"],
            zone=options["naive_timezone"],
            batch_size=options["batch_size"],
            limit=options["limit"],
            since=options["since"] and datetime.combine(options["since"], time.min, options["naive_timezone"]),
            tables=options["tables"],
            corrected=options["retry_quarantine"],
            with_following=options["following"],
        )
        journey = Journey(request, self.stdout.write, Progress(sys.stderr), should_stop)
        with looked_for_rarely(), closing(journey):
            if options["dry_run"]:
                return journey.rehearse()
            return journey.verify() if options["verify_only"] else journey.transfer()

    def _tell(self, outcome: Outcome, report: Path | None) -> None:
        for line in [*table_lines(outcome), *problem_lines(outcome), *followed_lines(outcome)]:
            self.stdout.write(line)
        if path := write_quarantine(outcome):
            self.stdout.write(f"The rows in quarantine with their original values: {path}")
        if report is not None:
            write_report(outcome, report)
        if not outcome.holds:
            raise CommandError(summary(outcome))
        self.stdout.write(self.style.SUCCESS(summary(outcome)))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ArgumentTypeError(f"{text!r} is no time zone; write it as in Europe/Moscow") from None
