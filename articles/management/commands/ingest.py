"""`manage.py ingest`: fetch feeds and sites now, or read a feed from a file."""

from __future__ import annotations

import signal
import threading
from argparse import RawDescriptionHelpFormatter
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper

from articles.feeds import Unreadable
from articles.ingest import MANY_SOURCES, Report, ingest, ingest_document
from articles.management.going_over import reindexed, retagged
from articles.models import Source
from articles.tagging.retagging import AlreadyRunning

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
  manage.py ingest --retag                           fetch nothing: give all articles their tags anew
  manage.py ingest --reindex                         fetch nothing: make the index for searching anew

--retag follows the tag rules as they are now; what editors have corrected stays. --reindex goes on being
searched meanwhile. Both can be stopped: --retag goes on where it was, and what --reindex leaves the worker
does, or `--reindex waiting`.

The last line counts: sources fetched; entries that are new, updated or unchanged; sources that failed.
The exit status is 0 only if none failed."""

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **options)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--source", action="append", default=[], metavar="SLUG", help="fetch this source only; may be repeated"
        )
        parser.add_argument("--file", type=Path, metavar="PATH", help="read this file as the feed of the one --source")
        parser.add_argument("--dry-run", action="store_true", help="fetch and compare, or count, but store nothing")
        parser.add_argument("--retag", action="store_true", help="apply the tag rules to all articles")
        parser.add_argument(
            "--reindex",
            nargs="?",
            choices=["all", "waiting"],
            const="all",
            help="make the search index anew, or only what has changed and waits for it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["retag"] or options["reindex"]:
            _go_over(self.stdout, **options)
            return
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


def _go_over(
    out: OutputWrapper,
    *,
    retag: bool,
    reindex: str | None,
    dry_run: bool,
    source: list[str],
    file: Path | None,
    **_: Any,
) -> None:
    """Retag or reindex. Raises CommandError if the options contradict each other or it was stopped."""
    if source or file or (retag and reindex) or (reindex and dry_run):
        raise CommandError("--retag and --reindex go over all articles: --retag may have --dry-run beside it, no more.")
    try:
        done = retagged(dry_run=dry_run) if retag else reindexed(everything=reindex == "all")
    except AlreadyRunning as error:
        raise CommandError("Another process is retagging. Let it end, or stop it and run this again.") from error
    out.write(done.summary)
    if not done.is_whole:
        raise CommandError("Stopped before the end. Run the command again to go on.")


def _named(slugs: list[str]) -> list[Source]:
    """The sources of these names, each once. Raises CommandError with what may have been meant."""
    found = {source.slug: source for source in Source.objects.filter(slug__in=slugs)}
    for slug in slugs:
        if slug not in found:
            near = get_close_matches(slug, Source.objects.values_list("slug", flat=True), n=3)
            hint = f" Did you mean {' or '.join(near)}?" if near else " The admin lists them under Sources."
            raise CommandError(f"There is no source {slug}.{hint}")
    return list(found.values())
