"""`manage.py usage`: the ledger on the command line."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from usage import report
from usage.models import utc_day


def positive(text: str) -> int:
    """A whole number from 1 on, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be 1 or more")
    return number


class Command(BaseCommand):
    help = "What the calls to language models were and cost."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        show = actions.add_parser("show", help="the totals of the last days by provider and model")
        show.add_argument("--days", type=positive, default=7, help="how many UTC days, today included (default: 7)")

    def handle(self, *args: Any, days: int, **options: Any) -> None:
        first_day = utc_day(timezone.now()) - timedelta(days=days - 1)
        found = report.lines(first_day)
        if found:
            self.stdout.write(report.table(found))
        self.stdout.write(
            f"days={days} requests={sum(line.requests for line in found)} failed={sum(line.failures for line in found)}"
            f" tokens_in={sum(line.tokens_in for line in found)} tokens_out={sum(line.tokens_out for line in found)}"
            f" cost_usd={sum(line.cost_usd for line in found):.4f} unfinished={report.unfinished(first_day)}"
        )
