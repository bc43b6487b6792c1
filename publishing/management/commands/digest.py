"""`manage.py digest`: make the digest of a period now, as schedules, the admin and the bot do."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from datetime import date
from threading import Event
from typing import Any

import click
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from publishing import digests
from publishing.digests import building, choosing, finishing
from publishing.models import Channel, Digest, Period, Publication
from publishing.tasks import deliver_channel
from usage.doorbell import ring
from usage.stopping import stopped_by_signals

# How long to wait for a worker that has taken the same digest, in seconds.
PAUSE = 0.5
State = Digest.State


def day(text: str) -> date:
    """A date for argparse."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write YYYY-MM-DD, as in 2026-11-22") from error


class Command(BaseCommand):
    help = (
        "Write the digest of a day, a week, a month or a year for one channel or all, and put it into the queue. "
        "A period that has a digest gets a new version; the old one stays. It may be stopped: workers finish the rest."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=Period.values, help="how long the period is")
        parser.add_argument(
            "--date",
            dest="day",
            type=day,
            metavar="YYYY-MM-DD",
            help="any day of the period, in the channel's time zone (default: the latest period that is over)",
        )
        parser.add_argument("--channel", metavar="SLUG", help="only for this channel (default: for each)")
        parser.add_argument(
            "--publish", action="store_true", help="approve it too, unless the fact check finds something"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what it would be made of, and change nothing")

    def handle(
        self, *args: Any, kind: str, day: date | None, channel: str | None, publish: bool, dry_run: bool, **options: Any
    ) -> None:
        periods = [(one, self._period(kind, day, one)) for one in self._channels(channel)]
        if dry_run:
            self._announce(periods)
            return
        counts = Counter({"ready": 0, "empty": 0, "failed": 0, "draft": 0, "approved": 0})
        with stopped_by_signals() as stopped:
            for one, period in periods:
                if not stopped.is_set():
                    counts += self._make(one, period, publish, stopped)
        self.stdout.write(
            f"digests={counts['ready']} empty={counts['empty']} failed={counts['failed']} "
            f"unfinished={counts['draft']} approved={counts['approved']}"
        )
        if stopped.is_set():
            raise CommandError("Stopped before the end. Workers go on with what was begun.")
        if counts["failed"] or counts["draft"]:
            raise CommandError("Not every digest could be written. The admin says why; workers try again.")
        if publish and counts["approved"] < counts["ready"]:
            raise CommandError("Not every digest was approved. The queue in the admin says why.")

    def _channels(self, slug: str | None) -> list[Channel]:
        channels = Channel.objects.filter(slug=slug) if slug else Channel.objects.all()
        if slug and not channels.exists():
            raise CommandError(f"There is no channel {slug!r}. The admin lists the short names of all.")
        return list(channels)

    def _period(self, kind: str, day: date | None, channel: Channel) -> digests.Period:
        now = timezone.now()
        if day is None:
            return digests.Period.last_ended(kind, now, channel.zone)
        try:
            period = digests.Period.containing(kind, day)
        except ValueError as error:
            raise CommandError(f"{error} Give a day between 1900 and 2999.") from error
        if period.bounds(channel.zone)[0] > now:
            raise CommandError(f"{day} lies ahead: give a day of a period that has begun.")
        return period

    def _announce(self, periods: list[tuple[Channel, digests.Period]]) -> None:
        sections = 0
        for channel, period in periods:
            sources = [source for source in choosing.choose(channel, period) if source.is_included]
            self.stdout.write(f"{channel.slug}: {period.title(channel.language)}")
            for source in sources:
                self.stdout.write(f"  {source.heading} ({len(source.articles) + len(source.parts)})")
            sections += len(sources)
        self.stdout.write(f"would_write_digests={len(periods)} sections={sections}")

    def _make(self, channel: Channel, period: digests.Period, publish: bool, stopped: Event) -> Counter[str]:
        """Write one digest to its end, or until it has to wait; how it ended."""
        digest = digests.request(period.kind, channel, period.start, approves_itself=publish)
        self._write(digest, stopped)
        digest.refresh_from_db()
        post = finishing.publication_of(digest)
        is_approved = bool(post and post.state in (*Publication.IN_LINE, *Publication.OUT))
        why = digest.last_error or (post.last_error if post else "")
        self.stdout.write(f"{channel.slug}: {digest}, {digest.state}" + (f" ({why})" if why else ""))
        if is_approved:
            ring(deliver_channel, channel.pk)
        return Counter([digest.state, *(["approved"] if is_approved else [])])

    def _write(self, digest: Digest, stopped: Event) -> None:
        with click.progressbar(length=1, label=str(digest), file=sys.stderr, show_eta=False) as bar:
            while not stopped.is_set():
                is_taken = building.take_step(digest.pk)
                far = digests.progress(digest.pk)
                bar.length = max(far.sections, 1)
                bar.update(far.written - bar.pos)
                if far.is_over or far.error:
                    return
                # A worker may have taken it: then its steps are waited for.
                time.sleep(0 if is_taken else PAUSE)
