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

from publishing.models import Attempt, Bot, Channel, Chat, Message, Publication

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
    """Channels in which nothing but their own pace and their quiet hours may stand against a message at `now`."""
    bots = Bot.objects.filter(token_env=OuterRef("token_env"))
    chat = Chat.objects.filter(token_env=OuterRef("token_env"), chat_id=OuterRef("chat_id"), next_call_at__gt=now)
    bot_is_shut = Exists(bots) & ~Exists(bots.usable(now))
    in_the_way = Message.objects.in_the_way().filter(channel=OuterRef("pk"))
    is_shut = Q(kind=Channel.Kind.TELEGRAM) & (Exists(chat) | bot_is_shut)
    return Channel.objects.open().filter(~is_shut, ~Exists(in_the_way))


def line(channel: Channel, now: datetime, until: datetime | None = None) -> QuerySet[Message]:
    """The messages that may go out in an open channel at `now`, in their order; also those due `until` then, if given.

    What no query can tell is seen to here: a token that is missing, and quiet hours.
    """
    messages = Message.objects.next_in_line(until or now).filter(channel=channel)
    if channel.lacks_token:
        return messages.none()
    return messages.heard_by_nobody() if channel.quiet_end(now) else messages


@transaction.atomic
def claim(channel_id: int) -> Claim | None:
    """The next message of the channel, and with it the channel's turn; None if nothing may go out right now."""
    now = timezone.now()
    channel = _turnstile(channel_id, now)
    message = line(channel, now).first() if channel else None
    if channel is None or message is None:
        return None
    moment = _book(channel, now)
    ready = Message.objects.filter(pk=message.pk, state=Message.State.READY, fence=message.fence)
    if moment is None or not ready.update(
        state=Message.State.CLAIMED, fence=F("fence") + 1, claimed_by=_name(), claimed_until=now + CLAIM_LEASE
    ):
        # What was booked is free again.
        transaction.set_rollback(True)
        return None
    if not message.is_repeatable:
        Channel.objects.filter(pk=channel.pk).update(next_post_at=max(moment, now) + channel.pace)
    message.channel = channel
    return Claim(message, message.fence + 1, moment)


def _book(channel: Channel, now: datetime) -> datetime | None:
    """The moment of the call that the bot and the chat have free; None if either must not be called right now."""
    if channel.kind != Channel.Kind.TELEGRAM:
        return now
    moment = Bot.book(channel.token_env, now)
    if moment is None or not Chat.book(channel.token_env, channel.chat_id, now, max(moment, now)):
        return None
    return moment


def _turnstile(channel_id: int, now: datetime) -> Channel | None:
    """The channel, if it may post now, held by this transaction so that senders in other processes keep its pace.

    PostgreSQL sends those away who find it taken. On SQLite each transaction holds the whole file.
    """
    channels = open_channels(now).filter(pk=channel_id)
    if connection.features.has_select_for_update_skip_locked:
        channels = channels.select_for_update(skip_locked=True, no_key=True)
    return channels.first()


def _name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{get_ident()}"[:100]


@transaction.atomic
def begin(taken: Claim, time_limit: timedelta) -> Attempt | None:
    """Write down that the call is about to be made; None if it must not be made any more."""
    message, now = taken.message, timezone.now()
    in_line = Publication.objects.filter(pk=message.publication_id, state__in=Publication.IN_LINE)
    state = Publication.State.CHANGING if message.change else Publication.State.SENDING
    if not _may_call(message.channel, now) or not in_line.update(state=state):
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
