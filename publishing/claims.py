"""The way of one message into a call: whose turn it is, who may take it, and what is committed before the first byte.

Each step is one transaction of conditional updates. Nothing here talks to anybody outside.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import get_ident
from typing import Any

from django.db import connection, transaction
from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    DateTimeField,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)
from django.db.models.functions import Greatest
from django.utils import timezone

from publishing.models import Attempt, Bot, Channel, Chat, Message, Publication
from publishing.models.chat import pace_of_chats
from publishing.prepared import PK, Blank, Prepared, PreparedInsert, PreparedUpdate

# Between the claim and "sending" lie a booked moment and one query. Who needs longer has lost the message.
CLAIM_LEASE = timedelta(seconds=5)
# No longer than a call takes anyway. So short a wait for the bot's pace comes after "sending" is committed: it is not
# likelier that somebody dies, or that the bot is told to stop, in that time than during the call.
SHORT_WAIT = timedelta(seconds=0.1)
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

    @property
    def wait(self) -> timedelta:
        """How long the call must wait for its moment; nothing or less if that has come."""
        return self.not_before - timezone.now()

    @property
    def chat_opens_at(self) -> datetime:
        """Before that (aware) nothing else goes out in the channel, because its chat has been booked."""
        in_telegram = self.message.channel.kind == Channel.Kind.TELEGRAM
        return self.not_before + (pace_of_chats() if in_telegram else timedelta(0))


@dataclass(frozen=True)
class Opening:
    """From when on (aware) the next message of a channel may go out, as far as rows tell."""

    at: datetime
    channel: Channel


# A moment that is given, or left blank in a query that is written once.
Moment = datetime | Blank


def open_channels(now: Moment) -> QuerySet[Channel]:
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


def openings(until: datetime) -> list[Opening]:
    """When the first in line may go out, in all channels in which one may by `until` (aware), the earliest first.

    One query. Quiet hours and missing tokens are not looked at.
    """
    known: list[Any] = _due.all(now=until)
    found = (Opening(max(channel.own, channel.shared or channel.own), channel) for channel in known)
    return sorted(found, key=lambda opening: (opening.at, opening.channel.pk))


@transaction.atomic
def claim(channel_id: int) -> Claim | None:
    """The next message of the channel, and with it the channel's turn; None if nothing may go out right now."""
    now = timezone.now()
    turn = _turn(channel_id, now)
    return turn if turn and _take(turn, now) else None


@transaction.atomic
def claim_and_begin(channel_id: int, limit: Callable[[Channel], timedelta]) -> tuple[Claim | None, Attempt | None]:
    """The same, and `begin` along with it if the call may be made soon; `limit` is how long it may take.

    Where there is a claim without an attempt, `begin` is to be called in its time. In both cases the claim's `wait`
    must be over before the call.
    """
    now = timezone.now()
    turn = _turn(channel_id, now)
    if turn is None or turn.not_before > now + SHORT_WAIT:
        return (turn if turn and _take(turn, now) else None), None
    return turn, _begin(turn, _ready(turn), max(now, turn.not_before), limit(turn.message.channel))


def _turn(channel_id: int, now: datetime) -> Claim | None:
    """The next message of the channel, whose call is booked; nothing says yet that it is claimed."""
    channel: Any = _turnstile.first(channel=channel_id, now=now)
    message = _first_in_line(channel, now) if channel else None
    if message is None:
        return None
    moment = _book(channel, now, channel.bot_opens_at)
    if moment is None:
        # What was booked is free again.
        transaction.set_rollback(True)
        return None
    if not message.is_repeatable:
        _pacing.run(pk=channel.pk, next_post_at=max(moment, now) + channel.pace)
    message.channel = channel
    return Claim(message, message.fence + 1, moment)


def _take(turn: Claim, now: datetime) -> bool:
    """Claim the message; False if somebody else has it, and then what was booked is free again."""
    lease = {"claimed_by": _name(), "claimed_until": now + CLAIM_LEASE}
    is_ours = bool(_moving.run(**_ready(turn), state=Message.State.CLAIMED, fence=turn.fence, **lease))
    if not is_ours:
        transaction.set_rollback(True)
    return is_ours


def _ready(turn: Claim) -> dict[str, Any]:
    """The message's row as it was seen when its turn came."""
    return {"pk": turn.message.pk, "seen_state": Message.State.READY, "seen_fence": turn.message.fence}


def _book(channel: Channel, now: datetime, bot_opens_at: datetime | None) -> datetime | None:
    """The moment of the call that the bot and the chat have free; None if either must not be called right now."""
    if channel.kind != Channel.Kind.TELEGRAM:
        return now
    moment = Bot.book(channel.token_env, now, bot_opens_at)
    if moment is None or not Chat.book(channel.token_env, channel.chat_id, now, max(moment, now)):
        return None
    return moment


# --- what each claim asks -------------------------------------------------------------------------------------------

CHANNEL, NOW = Blank("channel", BigIntegerField()), Blank("now", DateTimeField())


def _open_channel() -> QuerySet[Channel]:
    """The channel, if it may post now, held by this transaction so that senders in other processes keep its pace.

    PostgreSQL sends those away who find it taken. On SQLite each transaction holds the whole file. With it comes the
    moment when its bot may be called next, if it has ever been called.
    """
    bot = Bot.objects.filter(token_env=OuterRef("token_env")).order_by()
    channels = open_channels(NOW).filter(pk=CHANNEL).annotate(bot_opens_at=Subquery(bot.values("next_call_at")))
    if connection.features.has_select_for_update_skip_locked:
        channels = channels.select_for_update(skip_locked=True, no_key=True)
    return channels


def _due_channels() -> QuerySet[Channel]:
    """Open channels with messages to send, and when their own rows and the rows they share let the next one out."""
    chat = Chat.objects.filter(token_env=OuterRef("token_env"), chat_id=OuterRef("chat_id"))
    keeps_pace = When(action=Message.Action.SEND, then=Greatest("not_before", "channel__next_post_at"))
    in_line = Message.objects.next_in_line(NOW).filter(channel=OuterRef("pk"))
    # In the order of the line, which an index has: a long queue is not read to its end.
    first = in_line.annotate(at=Case(keeps_pace, default="not_before")).values("at")[:1]
    due = open_channels(NOW).annotate(own=Subquery(first), shared=Subquery(chat.values("next_call_at")))
    told = ("kind", "token_env", "quiet_from", "quiet_until", "time_zone", "next_post_at")
    return due.filter(own__isnull=False).only(*told).order_by()


_due = Prepared(_due_channels)
_turnstile = Prepared(_open_channel)
_pacing = PreparedUpdate(lambda: Channel.objects.filter(pk=PK), "next_post_at")
_anything = Prepared(lambda: Message.objects.next_in_line(NOW).filter(channel_id=CHANNEL)[:1])
_unheard = Prepared(lambda: Message.objects.next_in_line(NOW).heard_by_nobody().filter(channel_id=CHANNEL)[:1])


def _first_in_line(channel: Channel, now: datetime) -> Message | None:
    """The first of `line`."""
    if channel.lacks_token:
        return None
    asked = _unheard if channel.quiet_end(now) else _anything
    return asked.first(channel=channel.pk, now=now)


# --- the call is about to be made -----------------------------------------------------------------------------------


_leaving = PreparedUpdate(lambda: Publication.objects.filter(pk=PK, state__in=Publication.IN_LINE), "state")
_moving = PreparedUpdate(
    lambda: Message.objects.filter(
        pk=PK, state=Blank("seen_state", CharField()), fence=Blank("seen_fence", BigIntegerField())
    ),
    *("state", "fence", "claimed_by", "claimed_until"),
)
_attempt = PreparedInsert(Attempt)


def _name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{get_ident()}"[:100]


def begin(taken: Claim, time_limit: timedelta) -> Attempt | None:
    """Write down that the call is about to be made; None if it must not be made any more."""
    now, seen_state = timezone.now(), Message.State.CLAIMED
    seen = {"pk": taken.message.pk, "seen_state": seen_state, "seen_fence": taken.fence}
    with transaction.atomic():
        attempt = _begin(taken, seen, now, time_limit) if _may_call(taken.message.channel, now) else None
    if attempt is None:
        taken.row(seen_state).update(state=Message.State.READY, claimed_until=None)
    return attempt


def _begin(taken: Claim, seen: dict[str, Any], now: datetime, time_limit: timedelta) -> Attempt | None:
    """The publication's row first, as approval locks it; None, and nothing is changed, if either is not as it was."""
    message, deadline = taken.message, now + time_limit
    state = Publication.State.CHANGING if message.change else Publication.State.SENDING
    lease = {"claimed_by": _name(), "claimed_until": deadline + OUTCOME_GRACE}
    is_ours = _leaving.run(pk=message.publication_id, state=state) and _moving.run(
        **seen, state=Message.State.SENDING, fence=taken.fence, **lease
    )
    if not is_ours:
        transaction.set_rollback(True)
        return None
    attempt = Attempt(
        message=message,
        fence=taken.fence,
        payload_hash=message.payload_hash,
        last_message_id=message.channel.last_message_id,
        started_at=now,
        deadline=deadline,
    )
    return _attempt.run(attempt)


def _may_call(channel: Channel, now: datetime) -> bool:
    """Whether the bot may still be called: another process may have been told to wait since the claim."""
    if channel.kind != Channel.Kind.TELEGRAM:
        return True
    return Bot.objects.usable(now).filter(token_env=channel.token_env).exists()
