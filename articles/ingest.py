"""From sources to articles: claim, fetch, read, store, and write down how it went.

Threads fetch, processes read, and the calling thread alone speaks with the database. Each source is claimed by a
conditional update of `next_fetch_at` (the value seen → the end of a lease), and its outcome is written only while that
lease stands. A kill at any point costs a second fetch and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from queue import SimpleQueue

from django.db import transaction
from django.utils import timezone

from articles import catching_up, fetching, http, metrics, parsing
from articles.feeds import Feed, Unreadable
from articles.models import Source
from articles.models.source import FETCH_LEASE
from articles.outcomes import Failed, Outcome, Outcomes, Read, Unchanged
from articles.parsing import Parsers
from articles.robots import Disallowed
from articles.storing import Stored, store

logger = logging.getLogger(__name__)

FETCHERS = 8  # threads
CLAIM_AT_ONCE = 50  # sources; few, so that two processes share the work and a kill leaves few leases behind
MANY_SOURCES = 8  # from here on, processes that read are worth their start


@dataclass
class Report:
    """What came of a run. Entries are counted as new, updated or unchanged; sources as read or failed."""

    sources: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    failures: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        counts = f"sources={self.sources} new={self.new} updated={self.updated} unchanged={self.unchanged}"
        return f"{counts} failed={len(self.failures)}"

    def add(self, stored: Stored) -> None:
        self.new += stored.new
        self.updated += stored.updated
        self.unchanged += stored.unchanged


def ingest(
    sources: Sequence[Source],
    *,
    dry_run: bool = False,
    on_source: Callable[[Source, str], None] | None = None,
    should_stop: Callable[[], bool] = bool,
) -> Report:
    """Fetch these sources now, whether they are due or not, and store what they bring; with `dry_run` store nothing.

    A source that another process has taken since the rows were read is left to it. `on_source` is called after each
    source, with the reason if it failed. `should_stop` is asked before each: once it says yes, what has begun is
    finished and the rest given back. Failures stand in the report and in the sources' rows; they are never raised.
    """
    report, outcomes = Report(), Outcomes()
    taken = ((source, source.next_fetch_at) for source in sources) if dry_run else _claimed(sources, should_stop)
    with _parsers_for(len(sources)) as parsers:
        jobs = (partial(_read, source, lease, parsers) for source, lease in taken)
        for outcome in _in_threads(jobs, min(FETCHERS, len(sources) or 1)):
            report.sources += 1
            reason = _take(outcome, report, None if dry_run else outcomes, parsers)
            if on_source:
                on_source(outcome.source, reason)
    outcomes.write()
    http.record_requests()
    return report


def ingest_document(source: Source, body: bytes, *, dry_run: bool = False) -> Report:
    """Store what a feed on disk brings, as if it had come from the source's address. Raises Unreadable."""
    report = Report(sources=1)
    with nullcontext(parsing.shared()) as parsers:
        report.add(_store(source, fetching.parse(source, body, parsers), None, dry_run=dry_run))
    return report


def fetch_source(source_id: int) -> bool:
    """Fetch one source if it is watched and due; whether it was, and could be read."""
    source = Source.objects.due().filter(pk=source_id).first()
    if source is None:
        return False
    report = ingest([source])
    for slug, reason in report.failures.items():
        logger.warning("source %s failed: %s", slug, reason)
    return report.sources == 1 and not report.failures


def _parsers_for(sources: int) -> AbstractContextManager[Parsers]:
    return Parsers(os.cpu_count() or 1) if sources >= MANY_SOURCES else nullcontext(parsing.shared())


def _claimed(sources: Sequence[Source], should_stop: Callable[[], bool]) -> Iterator[tuple[Source, datetime]]:
    """The sources that this process gets, each with its lease."""
    for start in range(0, len(sources), CLAIM_AT_ONCE):
        lease = timezone.now() + FETCH_LEASE
        mine = Source.objects.claim(sources[start : start + CLAIM_AT_ONCE], lease)
        for place, source in enumerate(mine):
            if should_stop():
                given_back = [source.pk for source in mine[place:]]
                Source.objects.filter(pk__in=given_back, next_fetch_at=lease).update(next_fetch_at=timezone.now())
                return
            yield source, lease


def _in_threads(jobs: Iterator[Callable[[], Outcome]], threads: int) -> Iterator[Outcome]:
    """Outcomes as they come. A job begins when an outcome has been taken, so only a handful is ever in memory."""
    with ThreadPoolExecutor(threads, thread_name_prefix="fetch") as pool:
        done: SimpleQueue[Future[Outcome]] = SimpleQueue()
        running = 0
        for job in jobs:
            pool.submit(job).add_done_callback(done.put)
            running += 1
            if running >= threads * 2:
                yield done.get().result()
                running -= 1
        for _rest in range(running):
            yield done.get().result()


def _read(source: Source, lease: datetime, parsers: Parsers) -> Outcome:
    """Fetch one source and read what came. Runs in a thread: no database here."""
    reading = _way_of_reading(source)
    is_read_alike = source.body_hash.startswith(reading)
    etag, last_modified = (source.etag, source.last_modified) if is_read_alike else ("", "")
    try:
        page = fetching.fetch(source, parsers, etag=etag, last_modified=last_modified)
        moved_to = page.response.moved_to
        if page.response.not_modified:
            return Unchanged(source, lease, etag, last_modified, moved_to)
        body_hash = reading + page.fingerprint[len(reading) :]
        if body_hash == source.body_hash:
            return Unchanged(source, lease, *page.validators, moved_to)
        feed = page.read()
        return Read(source, lease, *page.validators, body_hash, feed, moved_to, page.yields)
    except (http.FetchError, Unreadable, Disallowed) as error:
        return Failed(source, lease, error)


def _way_of_reading(source: Source) -> str:
    """Names what decides how a body is read, and begins the body's hash.

    Once a person corrects the address, the encoding, the time zone or the selectors, the next fetch is unconditional
    and read anew.
    """
    said = (
        source.url,
        source.encoding,
        source.time_zone,
        *([json.dumps(source.selectors)] if source.selectors else []),
    )
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:8]


def _take(outcome: Outcome, report: Report, outcomes: Outcomes | None, parsers: Parsers) -> str:
    """Store what came and write down how it went, unless it is a dry run (no `outcomes`); the reason if it failed."""
    match outcome:
        case Read():
            report.add(_store_whole(outcome, outcomes, parsers))
        case Unchanged(source=source):
            report.unchanged += source.entry_count
            if outcomes is not None:
                outcomes.unchanged(outcome)
        case Failed(source=source):
            report.failures[source.slug] = outcome.reason
            if outcomes is not None:
                outcomes.failed(outcome)
            return outcome.reason
    return ""


def _store_whole(read: Read, outcomes: Outcomes | None, parsers: Parsers) -> Stored:
    """Store what a source has brought, with the pages that were missed."""
    whole = catching_up.whole(read, parsers)

    def write_down() -> None:
        if whole.hole:
            catching_up.leave_to_archive(read.source, whole.hole)
        if outcomes is not None:
            outcomes.read(read)

    return _store(read.source, whole.feed, write_down, dry_run=outcomes is None)


def _store(source: Source, feed: Feed, and_then: Callable[[], None] | None, *, dry_run: bool) -> Stored:
    """Store a feed, and what follows from that, in one transaction; a dry run takes it all back."""
    with transaction.atomic():
        stored = store(source, feed, timezone.now())
        if and_then:
            and_then()
        if dry_run:
            transaction.set_rollback(True)
    if not dry_run:
        metrics.articles_ingested.inc(stored.new)
    return stored
