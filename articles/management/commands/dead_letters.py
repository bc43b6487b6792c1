"""`manage.py dead_letters`: look at what failed for good, try it again, or give it up."""

from __future__ import annotations

import sys
from argparse import RawDescriptionHelpFormatter
from typing import Any

import click
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count, QuerySet
from django.utils import timezone

from articles import dead_letters
from articles.management.arguments import positive, row
from articles.models import DeadLetter
from usage.stopping import stopped_by_signals

SHOWN = 50


class Command(BaseCommand):
    # They would import every page of the admin first; `run`, `migrate` and `check` make them.
    requires_system_checks: list[str] = []
    help = """Look at what failed for good, try it again, or give it up.

  manage.py dead_letters list                            the newest, and how many of each kind and error
  manage.py dead_letters list --kind page --error http_404
  manage.py dead_letters retry 12 15                     these two, by the numbers that list shows
  manage.py dead_letters retry --kind summary            all of a kind
  manage.py dead_letters discard --all

To retry makes the thing due again: its article, summary or post keeps its title and its time, the worker
does the rest, and the letter goes once that has succeeded. To discard deletes the letter and nothing else.

The last line counts. The exit status is 0 only if every letter that was asked for could be dealt with."""

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **options)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["list", "retry", "discard"], help="what to do")
        parser.add_argument("numbers", nargs="*", type=row, metavar="NUMBER", help="of letters, as list shows them")
        parser.add_argument("--kind", choices=DeadLetter.EntityType.values, help="only letters of this kind")
        parser.add_argument("--error", metavar="CODE", help="only letters with this error")
        parser.add_argument("--all", action="store_true", help="retry or discard all, whatever their kind")
        parser.add_argument("--dry-run", action="store_true", help="only list those that it would be")
        parser.add_argument(
            "--limit", type=positive, default=SHOWN, metavar="N", help=f"list so many at most ({SHOWN})"
        )

    def handle(self, *args: Any, action: str, limit: int, dry_run: bool, **options: Any) -> None:
        letters = _chosen(**options)
        if action != "list" and not (options["numbers"] or options["kind"] or options["error"] or options["all"]):
            raise CommandError(f"Say which letters to {action}: their numbers, --kind, --error, or --all.")
        if action == "list" or dry_run:
            self._list(letters, limit)
            return
        self._retry(letters) if action == "retry" else self._discard(letters)

    def _list(self, letters: QuerySet[DeadLetter], limit: int) -> None:
        for letter in letters[:limit]:
            seen = timezone.localtime(letter.last_seen_at)
            self.stdout.write(
                f"{letter.pk:>7}  {seen:%Y-%m-%d %H:%M}  {letter.entity_type:<8} {letter.error_code:<20} "
                f"{letter.attempts:>3}x  {letter.entity_ref[:80]}"
            )
        kinds = letters.order_by().values_list("entity_type", "error_code").annotate(count=Count("pk"))
        for kind, error, count in sorted(kinds, key=lambda row: -row[2]):
            self.stdout.write(f"{count:>7}  {kind:<8} {error}")
        self.stdout.write(f"letters={letters.count()}")

    def _retry(self, letters: QuerySet[DeadLetter]) -> None:
        chosen, tally = list(letters), dead_letters.Tally()
        with stopped_by_signals() as stopped, click.progressbar(chosen, label="Retrying", file=sys.stderr) as bar:
            for letter in bar:
                if stopped.is_set():
                    break
                tally.counts += dead_letters.retry([letter]).counts
        self.stdout.write(str(tally))
        if stopped.is_set():
            raise CommandError("Stopped before the end. Run the command again to go on.")
        if tally.counts[dead_letters.Outcome.LOST]:
            raise CommandError("Some letters name nothing that is still there: discard them.")

    def _discard(self, letters: QuerySet[DeadLetter]) -> None:
        chosen = list(letters)
        discarded = sum(dead_letters.discard(chosen[start : start + 500]) for start in range(0, len(chosen), 500))
        self.stdout.write(f"discarded={discarded}")
        if discarded < len(chosen):
            raise CommandError("Some letters stay: what they tell of has failed again in this moment.")


def _chosen(*, numbers: list[int], kind: str | None, error: str | None, **_options: Any) -> QuerySet[DeadLetter]:
    """The letters that were asked for. Raises CommandError with the numbers that there are not."""
    letters = DeadLetter.objects.all()
    if numbers:
        letters = letters.filter(pk__in=numbers)
        if missing := set(numbers) - set(letters.values_list("pk", flat=True)):
            raise CommandError(f"There is no letter {', '.join(map(str, sorted(missing)))}.")
    if kind:
        letters = letters.filter(entity_type=kind)
    return letters.filter(error_code=error) if error else letters
