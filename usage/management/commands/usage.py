"""`manage.py usage`: the ledger on the command line."""

from __future__ import annotations

import argparse
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from usage import recounting, report
from usage.models import utc_day


def positive(text: str) -> int:
    """A whole number from 1 on, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be 1 or more")
    return number


def day(text: str) -> date:
    """A date for argparse."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write YYYY-MM-DD, as in 2026-11-22") from error


class Command(BaseCommand):
    help = "What the calls to language models were and cost."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        show = actions.add_parser("show", help="the totals of the last days by provider and model")
        show.add_argument("--days", type=positive, default=7, help="how many UTC days, today included (default: 7)")
        recalculate = actions.add_parser("recalculate", help="make the totals of days anew of their calls")
        recalculate.add_argument("--from", dest="first", type=day, required=True, metavar="YYYY-MM-DD", help="UTC day")
        recalculate.add_argument("--to", dest="last", type=day, metavar="YYYY-MM-DD", help="UTC day (default: today)")
        prune = actions.add_parser("prune", help="forget old calls; the totals of their days stay")
        prune.add_argument("--days", type=positive, default=30, help="how many days to keep (default: 30)")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        match action:
            case "show":
                self.show(options["days"])
            case "recalculate":
                self.recalculate(options["first"], options["last"] or utc_day(timezone.now()))
            case "prune":
                self.stdout.write(f"forgotten={recounting.prune(options['days'])}")

    def show(self, days: int) -> None:
        first_day = utc_day(timezone.now()) - timedelta(days=days - 1)
        found = report.lines(first_day)
        if found:
            self.stdout.write(report.table(found))
        self.stdout.write(
            f"days={days} requests={sum(line.requests for line in found)} failed={sum(line.failures for line in found)}"
            f" tokens_in={sum(line.tokens_in for line in found)} tokens_out={sum(line.tokens_out for line in found)}"
            f" cost_usd={sum(line.cost_usd for line in found):.4f} unfinished={report.unfinished(first_day)}"
        )

    def recalculate(self, first: date, last: date) -> None:
        if first > last:
            raise CommandError("--from is later than --to.")
        done = recounting.recalculate(first, last)
        self.stdout.write(f"days={done.days} corrected={done.corrected} left_alone={done.left_alone}")
