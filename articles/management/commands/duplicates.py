"""`manage.py duplicates`: how many copies there are, compare what was never compared, and merge by hand."""

from __future__ import annotations

import sys
from argparse import RawDescriptionHelpFormatter
from typing import Any

import click
from django.core.management.base import BaseCommand, CommandError, CommandParser

from articles.duplicates import deciding, report
from articles.duplicates.placing import Placed
from articles.duplicates.rebuilding import rebuild, to_rebuild
from articles.management.arguments import positive, row
from articles.models import Article
from usage.stopping import stopped_by_signals


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = """Articles that are copies of one another.

Each new article is compared with all others by itself, before it is summarised.

  manage.py duplicates report                  how many copies, the largest stories, who copies from whom
  manage.py duplicates rebuild                 compare what a transfer or a backfill brought; run it again to go on
  manage.py duplicates rebuild --all           compare everything anew; what editors decided stays
  manage.py duplicates merge 812 930 931       make 930 and 931 copies of 812, for good

The last line counts. The exit status is 0 only if all was done."""

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **options)

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="report | rebuild | merge")
        telling = verbs.add_parser("report", help="say how many copies there are")
        telling.add_argument("--limit", type=positive, default=10, metavar="N", help="so many stories and sources (10)")
        rebuilding = verbs.add_parser("rebuild", help="compare what has not been compared")
        rebuilding.add_argument("--all", action="store_true", help="compare everything anew")
        rebuilding.add_argument(
            "--after", type=row, default=0, metavar="NUMBER", help="go on after this article, where --all stopped"
        )
        rebuilding.add_argument("--dry-run", action="store_true", help="say how many articles it would compare")
        merging = verbs.add_parser("merge", help="make articles one story")
        merging.add_argument("main", type=row, help="the number of the main article")
        merging.add_argument("copies", type=row, nargs="+", help="the numbers of the others")
        merging.add_argument("--dry-run", action="store_true", help="show them, and change nothing")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        {"report": self._report, "rebuild": self._rebuild, "merge": self._merge}[verb](options)

    def _report(self, options: dict[str, Any]) -> None:
        for story, count, title in report.largest(options["limit"]):
            self.stdout.write(f"story {story}: {count} articles: {title}")
        for copying, source, count in report.sources(options["limit"]):
            self.stdout.write(f"{copying} has {count} after {source}")
        told = report.figures()
        self.stdout.write(
            f"articles={told.articles} unplaced={told.unplaced} stories={told.stories} copies={told.copies}"
            f" decided={told.decided}"
        )

    def _rebuild(self, options: dict[str, Any]) -> None:
        everything, after = options["all"], options["after"]
        waiting = to_rebuild(everything=everything, after=after).count()
        if options["dry_run"]:
            self.stdout.write(f"would_place={waiting}")
            return
        with (
            stopped_by_signals() as stopped,
            click.progressbar(length=waiting, label="Comparing", file=sys.stderr) as bar,
        ):

            def tell(done: Placed) -> None:
                bar.update(done.articles - bar.pos)

            done = rebuild(tell, everything=everything, after=after, should_stop=stopped.is_set)
        self.stdout.write(f"placed={done.articles} copies={done.copies}")
        if stopped.is_set() and to_rebuild(everything=everything, after=done.last).exists():
            again = f"--all --after {done.last}" if everything else ""
            raise CommandError(f"Stopped before the end. Go on with: manage.py duplicates rebuild {again}".rstrip())

    def _merge(self, options: dict[str, Any]) -> None:
        wanted = [options["main"], *options["copies"]]
        titles = dict(Article.objects.filter(pk__in=wanted).values_list("pk", "title"))
        if unknown := [str(pk) for pk in wanted if pk not in titles]:
            raise CommandError(
                f"There is no article {', '.join(dict.fromkeys(unknown))}. The admin's list shows their numbers."
            )
        for pk in dict.fromkeys(wanted):
            self.stdout.write(f"{pk}: {titles[pk]}")
        if options["dry_run"]:
            self.stdout.write(f"would_merge={len(set(wanted))}")
            return
        try:
            story = deciding.merge(options["main"], options["copies"], by=None)
        except deciding.StoryError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"story={story.pk} articles={story.articles.count()}")
