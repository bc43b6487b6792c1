"""The way of one message into a call: whose turn it is, who may take it, and what is committed before the first byte.

Each step is one transaction of conditional updates. Nothing here talks to anybody outside.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import get_ident

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from publishing.models import Attempt, Bot, Channel, Message, Publication

# Between the claim and "sending" lie a booked moment and one query. Who needs longer has lost the message.
CLAIM_LEASE = timedelta(seconds=5)
# How long after a call must have ended its outcome may take to be written.
OUTCOME_GRACE = timedelta(seconds=3)


@dataclass(frozen=True)
class Claim:
    """The right to send one message, not before `not_before` (aware) and for as long as its row has this fence."""

    message: Message
    fence: int
    not_before: datetime

    def row(self, state: Message.State) -> QuerySet[Message]:
        return Message.objects.filter(pk=self.message.pk, fence=self.fence, state=state)


def open_channels(now: datetime) -> QuerySet[Channel]:
    """Channels in which nothing but the pace of their bot and quiet hours may stand against a message at `now`."""
    bots = Bot.objects.filter(token_env=OuterRef("token_env"))
    bot_is_shut = Q(kind=Channel.Kind.TELEGRAM) & Exists(bots) & ~Exists(bots.usable(now))
    in_the_way = Message.objects.in_the_way().filter(channel=OuterRef("pk"))
    return Channel.objects.open().filter(~bot_is_shut, ~Exists(in_the_way))


def is_shut(channel: Channel, now: datetime) -> bool:
    """What no query can tell: the token is missing, or the channel has quiet hours."""
    return channel.lacks_token or channel.quiet_end(now) is not None


@transaction.atomic
def claim(channel_id: int) -> Claim | None:
    """The next message of the channel, and with it the channel's turn; None if nothing may go out right now."""
    now = timezone.now()
    channel = _turnstile(channel_id, now)
    message = Message.objects.next_in_line(now).filter(channel=channel).first() if channel else None
    if channel is None or message is None:
        return None
    is_telegram = channel.kind == Channel.Kind.TELEGRAM
    moment = Bot.book(channel.token_env, now) if is_telegram else now
    ready = Message.objects.filter(pk=message.pk, state=Message.State.READY, fence=message.fence)
    if moment is None or not ready.update(
        state=Message.State.CLAIMED, fence=F("fence") + 1, claimed_by=_name(), claimed_until=now + CLAIM_LEASE
    ):
        return None
    Channel.objects.filter(pk=channel.pk).update(next_post_at=max(moment, now) + channel.pace)
    message.channel = channel
    return Claim(message, message.fence + 1, moment)


def _turnstile(channel_id: int, now: datetime) -> Channel | None:
    """The channel, if it may post now, held by this transaction so that senders in other processes keep its pace.

    PostgreSQL sends those away who find it taken. On SQLite each transaction holds the whole file.
    """
    channels = open_channels(now).filter(pk=channel_id)
    if connection.features.has_select_for_update_skip_locked:
        channels = channels.select_for_update(skip_locked=True, no_key=True)
    channel = channels.first()
    return None if channel is None or is_shut(channel, now) else channel


def _name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{get_ident()}"[:100]


@transaction.atomic
def begin(taken: Claim, time_limit: timedelta) -> Attempt | None:
    """Write down that the call is about to be made; None if it must not be made any more."""
    message, now = taken.message, timezone.now()
    in_line = Publication.objects.filter(pk=message.publication_id, state__in=Publication.IN_LINE)
    if not _may_call(message.channel, now) or not in_line.update(state=Publication.State.SENDING):
        taken.row(Message.State.CLAIMED).update(state=Message.State.READY, claimed_until=None)
        return None
    deadline = now + time_limit
    claimed = taken.row(Message.State.CLAIMED)
    if not claimed.update(state=Message.State.SENDING, claimed_until=deadline + OUTCOME_GRACE):
        transaction.set_rollback(True)
        return None
    return Attempt.objects.create(
        message=message,
        fence=taken.fence,
        payload_hash=message.payload_hash,
        last_message_id=message.channel.last_message_id,
        started_at=now,
        deadline=deadline,
    )


def _may_call(channel: Channel, now: datetime) -> bool:
    """Whether the bot may still be called: another process may have been told to wait since the claim."""
    if channel.kind != Channel.Kind.TELEGRAM:
        return True
    return Bot.objects.usable(now).filter(token_env=channel.token_env).exists()
