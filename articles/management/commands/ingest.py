"""`manage.py ingest`: fetch feeds and sites now, or read a feed from a file."""

from __future__ import annotations

import signal
import threading
from argparse import RawDescriptionHelpFormatter
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from articles.feeds import Unreadable
from articles.ingest import MANY_SOURCES, Report, ingest, ingest_document
from articles.models import Source

MAX_FILE_BYTES = 100_000_000


class Command(BaseCommand):
    # They would import every page of the admin first; `run`, `migrate` and `check` make them.
    requires_system_checks: list[str] = []
    help = """Fetch feeds and sites and store their articles.

Without --source every watched source is fetched now, whether it is due or not; only those that another
process takes while this one runs are left to it. Servers that know ETag or Last-Modified send nothing
when nothing has changed. A feed that fails is tried again later by itself: its error is printed here and
stands in the admin.

  manage.py ingest                                   all watched sources
  manage.py ingest --source port --source city       these two, even if they are switched off
  manage.py ingest --file feed.xml --source port     a feed that is already on disk

The last line counts: sources fetched; entries that are new, updated or unchanged; sources that failed.
The exit status is 0 only if none failed."""

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **options)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--source", action="append", default=[], metavar="SLUG", help="fetch this source only; may be repeated"
        )
        parser.add_argument("--file", type=Path, metavar="PATH", help="read this file as the feed of the one --source")
        parser.add_argument("--dry-run", action="store_true", help="fetch and compare, but store nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        sources = _named(options["source"]) if options["source"] else list(Source.objects.active())
        if options["file"]:
            report = self._read_file(options["file"], sources, dry_run=options["dry_run"])
        else:
            report = self._fetch(sources, dry_run=options["dry_run"])
        self.stdout.write(str(report))
        if report.failures:
            raise SystemExit(1)

    def _fetch(self, sources: list[Source], *, dry_run: bool) -> Report:
        done = 0
        is_watched = len(sources) >= MANY_SOURCES and self.stderr.isatty()

        def tell(source: Source, reason: str) -> None:
            nonlocal done
            done += 1
            if reason:
                self.stderr.write(f"{source.slug}: {reason}")
            if is_watched:
                self.stderr.write(f"\r{done} / {len(sources)}", ending="\n" if done == len(sources) else "")

        # SIGTERM: what has begun is finished, the rest is given back.
        asked_to_stop = threading.Event()
        before = signal.signal(signal.SIGTERM, lambda _signal, _frame: asked_to_stop.set())
        try:
            report = ingest(sources, dry_run=dry_run, on_source=tell, should_stop=asked_to_stop.is_set)
        finally:
            signal.signal(signal.SIGTERM, before)
        if asked_to_stop.is_set() and done < len(sources):
            self.stdout.write(str(report))
            raise SystemExit(128 + signal.SIGTERM)
        return report

    def _read_file(self, path: Path, sources: list[Source], *, dry_run: bool) -> Report:
        if len(sources) != 1:
            raise CommandError("--file needs exactly one --source: the one whose feed the file is.")
        try:
            body = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        if len(body) > MAX_FILE_BYTES:
            raise CommandError(f"{path} is larger than {MAX_FILE_BYTES} bytes: that is no feed.")
        try:
            report = ingest_document(sources[0], body, dry_run=dry_run)
        except Unreadable as error:
            raise CommandError(f"{path} is no feed, or it is too damaged to be read.") from error
        if not report.new + report.updated + report.unchanged:
            raise CommandError(f"{path} is a feed without entries.")
        return report


def _named(slugs: list[str]) -> list[Source]:
    """The sources of these names, each once. Raises CommandError with what may have been meant."""
    found = {source.slug: source for source in Source.objects.filter(slug__in=slugs)}
    for slug in slugs:
        if slug not in found:
            near = get_close_matches(slug, Source.objects.values_list("slug", flat=True), n=3)
            hint = f" Did you mean {' or '.join(near)}?" if near else " The admin lists them under Sources."
            raise CommandError(f"There is no source {slug}.{hint}")
    return list(found.values())
