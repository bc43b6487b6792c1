"""Reading an archive in steps: a page of its lists, or the texts of a few articles, and the checkpoint with them.

A step's rows and the checkpoint behind them are written in one transaction, and only while the run's lease stands: a
kill at any point costs the step, and whoever was paused, cancelled or overtaken writes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeAlias

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from articles import archived, http, metrics, seeking, storing, walking
from articles.archived import Archived
from articles.completion import NoText
from articles.entries import Entry
from articles.feeds import Feed
from articles.models import ArchiveDay, BackfillRun, DeadLetter, Source
from articles.place import Place
from articles.robots import Disallowed
from articles.sites import reading, rot
from articles.sites.pages import Listing
from articles.sites.reading import NotDescribed, UnreadableSite
from articles.sites.selectors import Selectors

# A step must be over by then; afterwards another worker may take the run.
LEASE = timedelta(minutes=5)
# Of one page whose server has trouble, before it is given up with a dead letter.
MOST_ATTEMPTS = 4
# Pages given up in a row, and failures of the server in a row, before the run gives up.
MOST_SKIPPED = 5
MOST_FAILURES = 14
# Doubled after each further failure of the server in a row, up to the longest.
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)

Failure: TypeAlias = http.FetchError | NoText | UnreadableSite | Disallowed


class Lost(Exception):
    """The run was paused, cancelled or taken over while a step was under way: what the step has found is dropped."""


@dataclass
class Gain:
    """What a step adds to the run's counts."""

    pages: int = 0
    created_count: int = 0
    updated_count: int = 0
    unchanged_count: int = 0
    text_count: int = 0
    failed_count: int = 0


@dataclass
class Step:
    """A step under way: where its run is, what it has gained, what went wrong, and how long the run waits then.

    With `holds` the run stays claimed for whoever takes one step after another; with `is_dry` nothing is stored.
    """

    run: BackfillRun
    place: Place
    holds: bool = False
    is_dry: bool = False
    gain: Gain = field(default_factory=Gain)
    attempts: int = 0
    error: str = ""
    is_given_up: bool = False
    pause: timedelta = timedelta(0)
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, run: BackfillRun, *, holds: bool = False, is_dry: bool = False) -> Step:
        return cls(run, Place.of(run.checkpoint), holds=holds, is_dry=is_dry, attempts=run.attempts)

    def give_up(self, reason: str) -> None:
        """End the run with an error; a person may resume it."""
        self.is_given_up, self.error = True, reason
        self.place.skipped_in_row = 0

    def wait_for_server(self, error: Failure) -> None:
        """Let the run wait, longer each time; give it up after too many failures in a row."""
        self.error = str(error)
        if isinstance(error, http.HostRests):
            self.pause = error.wait
            return
        self.attempts += 1
        backoff = min(FIRST_PAUSE * 2 ** (self.attempts - 1), LONGEST_PAUSE)
        self.pause = max(backoff, error.retry_after or timedelta(0))
        if self.attempts >= MOST_FAILURES:
            self.give_up(str(error))

    def write(self) -> None:
        """Write the step into its run, here and in its row. Raises Lost."""
        run, now = self.run, timezone.now()
        run.checkpoint, run.attempts, run.error = self.place.checkpoint(), self.attempts, self.error
        run.working_seconds += time.monotonic() - self.started
        for name, gained in asdict(self.gain).items():
            setattr(run, name, getattr(run, name) + gained)
        claimed = BackfillRun(pk=run.pk, next_step_at=run.next_step_at)
        self._plan(now)
        if self.is_dry:
            return
        columns = {name: getattr(run, name) for name in WRITTEN}
        if not BackfillRun.objects.held(claimed).update(**columns):
            raise Lost

    def _plan(self, now: datetime) -> None:
        """When the run goes on, or how it has ended."""
        run, place = self.run, self.place
        if run.page_limit and run.pages - place.pages_before >= run.page_limit:
            place.is_over = True
            run.checkpoint = place.checkpoint()
        if self.is_given_up:
            run.state, run.next_step_at, run.finished_at = BackfillRun.State.FAILED, None, now
        elif place.is_over and not place.texts:
            run.state, run.next_step_at, run.finished_at = BackfillRun.State.DONE, None, now
        else:
            run.next_step_at = now + self.pause + (LEASE if self.holds else timedelta(0))
            if self.holds:
                run.note_lease(run.next_step_at)


# fmt: off
WRITTEN = [
    "state", "checkpoint", "attempts", "error", "working_seconds", "next_step_at", "finished_at", "pages",
    "created_count", "updated_count", "unchanged_count", "text_count", "failed_count",
]
# fmt: on


def is_passing(error: Failure) -> bool:
    """Whether the server has trouble that may be over in a while, rather than the page."""
    if isinstance(error, http.BadStatus):
        return error.status >= 500 or error.status == 429  # noqa: PLR2004
    return isinstance(error, http.Unreachable | http.TimedOut | http.HostRests)


def record_dead_page(url: str, error: Failure, attempts: int) -> None:
    """Write down that a page is given up."""
    metrics.errors.labels(type(error).__name__).inc()
    DeadLetter.record(DeadLetter.EntityType.PAGE, url, error.code, str(error), attempts)


def forget_dead_pages(urls: Sequence[str]) -> None:
    """Pages that have come after all are no dead letters any more."""
    DeadLetter.objects.filter(entity_type=DeadLetter.EntityType.PAGE, entity_ref__in=urls).delete()


def check(source: Source, direction: str) -> Selectors:
    """What the source says of its archive, which can be read in this direction. Raises NotDescribed."""
    found = reading.described(source)
    if not walking.places(found).item:
        raise NotDescribed(_("The source does not say what stands where in its archive: see its selectors."))
    if not walking.can_go(found, direction):
        raise NotDescribed(
            _("This archive can be read from its newest page only: its selectors name no address with {page} or {day}.")
        )
    return found


def read_page(step: Step) -> None:
    """Read the page that the walk is at, store what it lists, and write the step. Raises Lost or NotDescribed."""
    run, place, source = step.run, step.place, step.run.source
    found = check(source, run.direction)
    walking.begin(run, place, found)
    url = walking.address(place, found, source.url)
    day = date.fromisoformat(place.day) if found.has_days else None
    try:
        response = reading.fetch(source, url, target="archive")
        listing = reading.listing(source, found, response, walking.places(found), day)
    except (http.FetchError, UnreadableSite, Disallowed) as error:
        _write_failure(step, found, url, error)
        return
    step.gain.pages, step.attempts, step.error, place.skipped_in_row = 1, 0, "", 0
    with transaction.atomic():
        _store(step, found, listing)
        forget_dead_pages([url])
        step.write()
        if step.is_dry:
            transaction.set_rollback(True)
    metrics.articles_ingested.inc(0 if step.is_dry else step.gain.created_count)


def _store(step: Step, found: Selectors, listing: Listing) -> None:
    """Store what a page lists and what is known of the days that end with it, and step to the next page."""
    run, place = step.run, step.place
    entries = [] if walking.is_again(place, listing) else walking.wanted(run, place, found, listing)
    if place.phase == seeking.SEEK:
        entries = []
    walking.count(run, place, found, entries, archived.missing(entries))
    only_compares = run.origin == BackfillRun.Origin.COMPARE
    if not only_compares:
        _count(step, _bring_in(run, entries))
    for day, (listed, missing) in walking.go_on(run, place, found, listing).items():
        if only_compares or run.origin == BackfillRun.Origin.RECONCILE:
            place.report[day.isoformat()] = [listed, missing]
        known = {"listed": listed, "missing": missing if only_compares else 0, "checked_at": timezone.now()}
        ArchiveDay.objects.update_or_create(source=run.source, day=day, defaults=known)
        rot.watch_days(run.source, place.empty_days)


def _count(step: Step, stored: Archived) -> None:
    step.gain.created_count, step.gain.updated_count = stored.new, stored.updated
    step.gain.unchanged_count = stored.unchanged
    if step.run.with_content and not step.is_dry:
        queued = {pk for pk, _attempts in step.place.texts}
        step.place.texts += [[pk, 0] for pk in stored.without_text if pk not in queued]


def _bring_in(run: BackfillRun, entries: Sequence[Entry]) -> Archived:
    """Store entries of the archive. What an outage has kept from us goes the way of all news while it is young."""
    now, source = timezone.now(), run.source
    young: list[Entry] = []
    if run.origin == BackfillRun.Origin.CATCH_UP:
        oldest = now - timedelta(hours=source.queue_max_age_hours)
        young = [entry for entry in entries if entry.published and entry.published.at >= oldest]
    late = storing.store(source, Feed("", source.url, source.url, tuple(young)), now) if young else storing.Stored()
    old = archived.store(source, [entry for entry in entries if entry not in young], now)
    return Archived(old.new + late.new, old.updated + late.updated, old.unchanged + late.unchanged, old.without_text)


def _write_failure(step: Step, found: Selectors, url: str, error: Failure) -> None:
    """Let the run wait for the server, or give up the page and go on behind it."""
    place = step.place
    if isinstance(error, http.Gone) and walking.is_past_end(place, found):
        walking.end_here(place)
        step.write()
        return
    if is_passing(error):
        step.wait_for_server(error)
    is_hopeless = not is_passing(error)
    # A server that answers, but never with this page.
    is_hopeless |= isinstance(error, http.BadStatus) and not step.is_given_up and step.attempts % MOST_ATTEMPTS == 0
    with transaction.atomic():
        if is_hopeless:
            step.error, step.pause, step.gain.failed_count = str(error), timedelta(0), 1
            walking.skip(step.run, place, found)
            if place.skipped_in_row >= MOST_SKIPPED:
                step.give_up(str(error))
            if not step.is_dry:
                record_dead_page(url, error, max(step.attempts, 1))
        step.write()
