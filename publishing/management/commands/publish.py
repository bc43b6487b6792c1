"""`manage.py publish`: send what is approved and due."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from django.utils import timezone

from publishing import delivery
from publishing.models import Channel, Message
from publishing.outcomes import NotSent, Outcome, Refused, Sent, Unknown
from usage.stopping import stopped_by_signals

WORDS: dict[type[Outcome], str] = {Sent: "sent", NotSent: "not sent", Refused: "refused", Unknown: "unknown"}


class Command(BaseCommand):
    help = (
        "Send the publications that are approved and due now, at the pace of their channels, and end. What is "
        "scheduled, paused, or in quiet hours waits. It may run beside a worker and be stopped and run again at any "
        "time: nothing is sent twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--channel", metavar="SLUG", help="only in this channel")
        parser.add_argument("--dry-run", action="store_true", help="say what would be sent, and change nothing")

    def handle(self, *args: Any, channel: str | None, dry_run: bool, **options: Any) -> None:
        channels = self._channels(channel)
        if not dry_run:
            delivery.recover()
        busy = list(channels.filter(pk__in=delivery.due_channels()))
        counts = Counter[type[Outcome]]()
        with stopped_by_signals() as stopped:
            for one in busy:
                if dry_run:
                    self._announce(one)
                else:
                    counts += self._send(one, stopped)
        messages = Message.objects.filter(channel__in=channels)
        unknown, failed = messages.unresolved().count(), counts[Refused] + counts[NotSent]
        self.stdout.write(
            f"channels={len(busy)} sent={counts[Sent]} waiting={messages.going_out().due().count()} "
            f"unknown={unknown} failed={failed}"
        )
        if stopped.is_set():
            raise CommandError("Stopped before the end. Run the command again to go on.")
        if unknown or failed:
            raise CommandError("Not everything could be sent. The queue in the admin says why, and what to do.")

    def _channels(self, slug: str | None) -> QuerySet[Channel]:
        if slug and not Channel.objects.filter(slug=slug).exists():
            raise CommandError(f"There is no channel {slug!r}. The admin lists the short names of all.")
        return Channel.objects.filter(slug=slug) if slug else Channel.objects.all()

    def _announce(self, channel: Channel) -> None:
        for message in Message.objects.next_in_line().filter(channel=channel).select_related("publication"):
            self.stdout.write(f"would send to {channel.slug}: {message.publication.title}")

    def _send(self, channel: Channel, stopped: Event) -> Counter[type[Outcome]]:
        """Send what is due in a channel now, however long its pace makes that; each message is printed."""
        due = Message.objects.going_out().due().filter(channel=channel).count()
        until = timezone.now() + channel.pace * due + timedelta(seconds=1)
        counts = Counter[type[Outcome]]()
        for message, outcome in delivery.deliveries(channel.pk, until=until, stopped=stopped):
            counts[type(outcome)] += 1
            why = "" if isinstance(outcome, Sent) else f" ({outcome.reason})"
            self.stdout.write(f"{WORDS[type(outcome)]} to {channel.slug}: {message.publication.title}{why}")
            self.stdout.flush()
        return counts
