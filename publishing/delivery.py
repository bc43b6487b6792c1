"""Approved messages leave here: claim, commit "sending", call, commit the outcome.

    ready ─▶ claimed ─▶ sending ─▶ sent
      ▲          │          ├────▶ dead       refused for good
      ├──────────┘          ├────▶ unknown ─▶ sent | ready   a person decides
      └─────────────────────┘  only with proof that nothing was sent

No transaction is open while the network is used, and every step is one conditional update: whoever dies or is late
finds that his fence no longer fits and changes nothing. So a message is sent once or is visibly unresolved.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, get_ident

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from publishing import settling
from publishing.models import Attempt, Channel, Message, Publication
from publishing.outcomes import Outcome, Sent, Transport
from publishing.sandbox import SandboxTransport
from publishing.telegram import TelegramTransport

logger = logging.getLogger(__name__)

# Between the claim and "sending" lies one query. Who needs longer has lost the message, and nothing was sent.
CLAIM_LEASE = timedelta(seconds=5)
# How long after a call must have ended its outcome may take to be written.
OUTCOME_GRACE = timedelta(seconds=3)
# Between two looks for a message whose time will come, in seconds: an operator may pause the channel meanwhile.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.01, 1.0


@dataclass(frozen=True)
class Claim:
    """The right to send one message, for as long as its row has this fence."""

    message: Message
    fence: int

    def row(self, state: Message.State) -> QuerySet[Message]:
        return Message.objects.filter(pk=self.message.pk, fence=self.fence, state=state)


def transport_of(channel: Channel) -> Transport:
    """How this channel takes messages."""
    return SandboxTransport() if channel.kind == Channel.Kind.SANDBOX else TelegramTransport(channel)


def deliver(channel_id: int, *, until: datetime | None = None) -> int:
    """Send what is due in the channel, one message after another; returns how many were sent.

    Without `until` (aware) it returns as soon as nothing may be sent right now; with it, it waits for the channel's
    pace up to then. Safe to run in many processes at once, and to kill at any moment.
    """
    return sum(isinstance(outcome, Sent) for _message, outcome in deliveries(channel_id, until=until))


def deliveries(
    channel_id: int, *, until: datetime | None = None, stopped: Event | None = None
) -> Iterator[tuple[Message, Outcome]]:
    """As `deliver`, but gives each message with what became of it right after that is written.

    Once `stopped` is set, no further message is begun.
    """
    stopped = stopped or Event()
    while not stopped.is_set():
        claim = _claim(channel_id)
        if claim is None:
            pause = _pause(channel_id, until)
            if not pause:
                return
            stopped.wait(pause)
        elif outcome := _send(claim):
            yield claim.message, outcome


def due_channels(now: datetime | None = None) -> list[int]:
    """The channels in which a message may go out now (aware), by their numbers. One query and no lock."""
    now = now or timezone.now()
    channels = Channel.objects.open(now).filter(
        Exists(Message.objects.next_in_line(now).filter(channel=OuterRef("pk")))
    )
    return [channel.pk for channel in channels if not _is_shut(channel, now)]


def recover() -> int:
    """Settle what dead senders left behind; returns how many messages that were.

    A claim that led to no call is void. A call whose outcome is missing after its deadline is looked up; where that
    can't be done, the message stays unknown until a person decides.
    """
    now = timezone.now()
    overdue = Message.objects.filter(claimed_until__lt=now)
    void = overdue.filter(state=Message.State.CLAIMED).update(state=Message.State.READY, claimed_until=None)
    lost = overdue.filter(state=Message.State.SENDING).select_related("channel")
    for message in lost:
        attempt = Attempt.objects.get(message=message, fence=message.fence)
        settling.settle(attempt, transport_of(message.channel).find(message))
    return void + len(lost)


def _pause(channel_id: int, until: datetime | None) -> float:
    """How many seconds to wait before the next look, if a message may go out before `until`; 0 if none may."""
    now = timezone.now()
    channel = Channel.objects.get(pk=channel_id)
    if until is None or now >= until or channel.is_paused or _is_shut(channel, now):
        return 0
    message = Message.objects.next_in_line(until).filter(channel=channel).first()
    opens_at = max(channel.next_post_at, message.not_before) if message else until
    if opens_at >= until:
        return 0
    return min(LONGEST_PAUSE, max(SHORTEST_PAUSE, (opens_at - now).total_seconds()))


def _is_shut(channel: Channel, now: datetime) -> bool:
    return channel.lacks_token or channel.quiet_end(now) is not None


@transaction.atomic
def _claim(channel_id: int) -> Claim | None:
    """The next message of the channel, and with it the channel's turn; None if nothing may go out right now."""
    now = timezone.now()
    channel = _turnstile(channel_id, now)
    message = Message.objects.next_in_line(now).filter(channel=channel).first() if channel else None
    if channel is None or message is None:
        return None
    ready = Message.objects.filter(pk=message.pk, state=Message.State.READY, fence=message.fence)
    if not ready.update(
        state=Message.State.CLAIMED, fence=F("fence") + 1, claimed_by=_name(), claimed_until=now + CLAIM_LEASE
    ):
        return None
    pace = timedelta(seconds=channel.seconds_between_posts)
    Channel.objects.filter(pk=channel.pk).update(next_post_at=now + pace)
    message.channel = channel
    return Claim(message, message.fence + 1)


def _turnstile(channel_id: int, now: datetime) -> Channel | None:
    """The channel, if it may post now, held by this transaction so that senders in other processes keep its pace.

    PostgreSQL sends those away who find it taken. On SQLite each transaction holds the whole file.
    """
    channels = Channel.objects.open(now).filter(pk=channel_id)
    if connection.features.has_select_for_update_skip_locked:
        channels = channels.select_for_update(skip_locked=True, no_key=True)
    channel = channels.first()
    return None if channel is None or _is_shut(channel, now) else channel


def _name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{get_ident()}"[:100]


def _send(claim: Claim) -> Outcome | None:
    """Make the one call that the claim allows, and write what became of it; None if there was nothing to call for."""
    message = claim.message
    transport = transport_of(message.channel)
    attempt = _begin(claim, transport.time_limit)
    if attempt is None:
        return None
    outcome = transport.send(message)
    settling.settle(attempt, outcome)
    logger.info("Message %s to %s: %s", message.pk, message.channel.slug, type(outcome).__name__)
    return outcome


@transaction.atomic
def _begin(claim: Claim, time_limit: timedelta) -> Attempt | None:
    """Write down that the call is about to be made; None if the message was lost or withdrawn meanwhile."""
    message, now = claim.message, timezone.now()
    in_line = Publication.objects.filter(pk=message.publication_id, state__in=Publication.IN_LINE)
    if not in_line.update(state=Publication.State.SENDING):
        claim.row(Message.State.CLAIMED).update(state=Message.State.READY, claimed_until=None)
        return None
    deadline = now + time_limit
    if not claim.row(Message.State.CLAIMED).update(state=Message.State.SENDING, claimed_until=deadline + OUTCOME_GRACE):
        transaction.set_rollback(True)
        return None
    return Attempt.objects.create(
        message=message, fence=claim.fence, payload_hash=message.payload_hash, started_at=now, deadline=deadline
    )
