"""Approved messages leave here: claim, commit "sending", call, commit the outcome.

    ready ─▶ claimed ─▶ sending ─▶ sent
      ▲          │          ├────▶ dead       refused for good
      ├──────────┘          ├────▶ unknown ─▶ sent | person   found in the channel, or a person decides
      └─────────────────────┘  only with proof that nothing was sent

No transaction is open while the network is used, and every step is one conditional update: whoever dies or is late
finds that his fence no longer fits and changes nothing. A channel has one sender at a time, who keeps its lock while he
lives, and nothing passes a message in flight. So a message is sent once or is visibly unresolved.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from threading import Event

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from publishing import bots, claims, holding, settling
from publishing.claims import Claim
from publishing.exclusion import only_sender
from publishing.holding import Inspection
from publishing.models import Attempt, Channel, Chat, Message
from publishing.outcomes import Outcome, Sent, Transport
from publishing.sandbox import SandboxTransport
from publishing.telegram import TelegramTransport

logger = logging.getLogger(__name__)

# Between two looks for a message whose time will come, in seconds: an operator may pause the channel meanwhile.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.01, 1.0
# So long an outcome waits for a database that is being restarted, and so often it knocks, in seconds.
DATABASE_PATIENCE, DATABASE_KNOCK = 60.0, 0.5


def transport_of(channel: Channel) -> Transport:
    """How this channel takes messages."""
    return SandboxTransport() if channel.kind == Channel.Kind.SANDBOX else TelegramTransport(channel)


def _time_limit(channel: Channel) -> timedelta:
    return transport_of(channel).time_limit


def deliver(channel_id: int, *, until: datetime | None = None) -> int:
    """Send what is due in the channel, one message after another; returns how many were sent.

    Without `until` (aware) it returns as soon as nothing may be sent right now; with it, it waits for the channel's
    pace up to then. Returns at once if another process is the channel's sender. Safe to kill at any moment.
    """
    return sum(isinstance(outcome, Sent) for _message, outcome in deliveries(channel_id, until=until))


def deliveries(
    channel_id: int, *, until: datetime | None = None, stopped: Event | None = None
) -> Iterator[tuple[Message, Outcome]]:
    """As `deliver`, but gives each message with what became of it right after that is written.

    Once `stopped` is set, no further message is begun.
    """
    return _deliveries(channel_id, holding.Watch(), until, stopped or Event())


def deliver_all(channel_ids: Collection[int], *, until: datetime) -> int:
    """Send what may go out in these channels before `until` (aware), first where it may first; how many were sent.

    What a channel costs that is looked at by itself is paid once for all of them: a connection, an inspection, and
    finding out until when to wait. Raises ExceptionGroup at the end: what fails in one channel holds up no other.
    """
    watch, never_stopped, sent = holding.Watch(), Event(), 0
    failures: list[Exception] = []
    for opening in claims.openings(until):
        if opening.channel.pk not in channel_ids:
            continue
        _wait(opening.at - timezone.now())
        outcomes = _deliveries(opening.channel.pk, watch, until, never_stopped)
        try:
            sent += sum(isinstance(outcome, Sent) for _message, outcome in outcomes)
        except Exception as error:  # noqa: BLE001  raised below, with the others
            failures.append(error)
    if failures:
        raise ExceptionGroup("Not everything could be sent", failures)
    return sent


def _deliveries(
    channel_id: int, watch: holding.Watch, until: datetime | None, stopped: Event
) -> Iterator[tuple[Message, Outcome]]:
    with only_sender(channel_id) as is_held:
        while is_held and is_held() and not stopped.is_set():
            inspection = watch.look()
            claim, attempt = claims.claim_and_begin(channel_id, _time_limit)
            if claim is None:
                pause = _pause(channel_id, until)
                if not pause:
                    return
                stopped.wait(pause)
                continue
            if outcome := _send(claim, attempt, inspection):
                yield claim.message, outcome
                if claim.chat_opens_at > max(until or timezone.now(), timezone.now()):
                    return


def due_channels(now: datetime | None = None) -> list[int]:
    """The channels in which a message may go out now (aware), by their numbers: first who has waited longest.

    One query, one more for each channel that has quiet hours now, and no lock.
    """
    now = now or timezone.now()
    awake = (opening.channel for opening in claims.openings(now) if not _sleeps(opening.channel, now))
    return [channel.pk for channel in sorted(awake, key=attrgetter("next_post_at", "pk"))]


def _sleeps(channel: Channel, now: datetime) -> bool:
    """Whether a channel with due messages can send none of them, because of its quiet hours or its token."""
    return (channel.lacks_token or channel.quiet_end(now) is not None) and not claims.line(channel, now).exists()


def recover() -> int:
    """Settle what dead senders left behind; returns how many messages that were.

    A claim that led to no call is void. A call whose outcome is missing after its deadline is looked up; where that
    can't be done here, the message is unknown. Nothing is taken from a sender who still holds his channel's lock.
    """
    overdue = Message.objects.filter(state__in=Message.IN_FLIGHT, claimed_until__lt=timezone.now())
    channels = overdue.order_by().values_list("channel", flat=True).distinct()
    return sum(_recover(channel_id) for channel_id in channels)


def _recover(channel_id: int) -> int:
    with only_sender(channel_id) as is_held:
        if not is_held:
            return 0
        overdue = Message.objects.filter(channel=channel_id, claimed_until__lt=timezone.now())
        void = overdue.filter(state=Message.State.CLAIMED).update(state=Message.State.READY, claimed_until=None)
        lost = overdue.filter(state=Message.State.SENDING).select_related("channel")
        for message in lost:
            attempt = Attempt.objects.get(message=message, fence=message.fence)
            settling.settle(attempt, transport_of(message.channel).find(message))
        return void + len(lost)


def _pause(channel_id: int, until: datetime | None) -> float:
    """How many seconds to wait before the next look, if a message may go out before `until`; 0 if none may."""
    now = timezone.now()
    if until is None or now >= until:
        return 0
    channel = claims.open_channels(until).filter(pk=channel_id).first()
    message = claims.line(channel, now, until).first() if channel else None
    if channel is None or message is None:
        return 0
    opens_at = max(message.not_before, Chat.opens_at(channel.token_env, channel.chat_id))
    if not message.is_repeatable:
        opens_at = max(opens_at, channel.next_post_at)
    if opens_at >= until:
        return 0
    return min(LONGEST_PAUSE, max(SHORTEST_PAUSE, (opens_at - now).total_seconds()))


def _send(claim: Claim, attempt: Attempt | None, inspection: Inspection) -> Outcome | None:
    """Make the one call that the claim allows, and write what became of it; None if there was nothing to call for."""
    message = claim.message
    transport = transport_of(message.channel)
    _wait(claim.wait)
    if attempt is None:
        attempt = claims.begin(claim, transport.time_limit)
    if attempt is None:
        return None
    inspection.note()
    outcome = transport.send(message)
    _settle(attempt, outcome)
    logger.info("Message %s to %s: %s", message.pk, message.channel.slug, type(outcome).__name__)
    return outcome


def _wait(duration: timedelta) -> None:
    if duration > timedelta(0):
        time.sleep(duration.total_seconds())


def _settle(attempt: Attempt, outcome: Outcome) -> None:
    with_patience(partial(_write, attempt, outcome))


@transaction.atomic
def _write(attempt: Attempt, outcome: Outcome) -> None:
    settling.settle(attempt, outcome)
    bots.learn(attempt.message.channel, outcome)


def with_patience(write: Callable[[], object]) -> None:
    """Write an outcome, even if the database is being restarted: what a reply has proved is worth waiting for."""
    gives_up_at = time.monotonic() + DATABASE_PATIENCE
    while True:
        try:
            write()
        except (OperationalError, InterfaceError):
            if time.monotonic() > gives_up_at:
                raise
            connection.close()
            time.sleep(DATABASE_KNOCK)
        else:
            return
