"""What became of a message, as a reply or the lack of one has proved it.

Each verb is one transaction, and locks the publication before its message, as approval does.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import BigIntegerField, CharField, Exists, OuterRef
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from articles.metrics import errors
from articles.models import DeadLetter
from publishing import standing
from publishing.metrics import articles_posted, post_duration, post_wait
from publishing.models import Attempt, Channel, Message, Publication
from publishing.outcomes import NotSent, Outcome, Refused, Sent, Unknown
from publishing.prepared import PK, Blank, Prepared, PreparedUpdate
from usage.models import Alert

logger = logging.getLogger(__name__)

# The alert about a message of which nobody knows whether it was sent; its subject is the message's number.
UNRESOLVED = "post_unresolved"
# The alert about posts that were to be edited or deleted and couldn't be; its subject is the publication's number.
CHANGE_REFUSED = "change_refused"

FIRST_BACKOFF = timedelta(seconds=5)
# Long silences are the breaker's business: what is due goes out soon after Telegram is back.
LONGEST_BACKOFF = timedelta(seconds=20)
LONGEST_REPLY = 4000  # characters of a server's answer that are kept

State = Message.State
# A proof counts even after its sender was given up for lost; that a message was sent, even after it became due again.
OPEN_FOR = {
    Sent: (State.SENDING, State.UNKNOWN, State.NEEDS_PERSON, State.READY),
    NotSent: (State.SENDING, State.UNKNOWN, State.NEEDS_PERSON),
    Refused: (State.SENDING, State.UNKNOWN, State.NEEDS_PERSON),
    Unknown: (State.SENDING,),
}
NAMES = {
    Sent: Attempt.Outcome.SENT,
    NotSent: Attempt.Outcome.NOT_SENT,
    Refused: Attempt.Outcome.REFUSED,
    Unknown: Attempt.Outcome.UNKNOWN,
}


@transaction.atomic(savepoint=False)
def settle(attempt: Attempt, outcome: Outcome) -> bool:
    """Write what became of an attempt; True if its message is sent now.

    An outcome that comes too late, when the message was claimed again, changes only the attempt's own row.
    """
    message = locked(attempt.message)
    outcome, now = _for_what_stays_behind(message, outcome), timezone.now()
    in_time = _note_in_time(attempt, outcome, now)
    settled = in_time or _note(attempt, outcome, now, OPEN_FOR[type(outcome)])
    _close(attempt, outcome, now, settled=settled)
    if settled and not in_time:
        Alert.is_over(UNRESOLVED, str(message.pk))
    if settled:
        _measure(attempt, outcome, now)
        _follow(message, outcome)
    else:
        errors.labels("late_outcome").inc()
        logger.error("Message %s: the outcome “%s” came too late", message.pk, type(outcome).__name__)
    return settled and isinstance(outcome, Sent)


def _for_what_stays_behind(message: Message, outcome: Outcome) -> Outcome:
    """A post doesn't move along with its chat: in the new one its number is that of another post, or of none."""
    if isinstance(outcome, NotSent) and outcome.moved_to and message.is_repeatable:
        return Refused(standing.left_behind(), outcome.reply, moved_to=outcome.moved_to)
    return outcome


def _note_in_time(attempt: Attempt, outcome: Outcome, now: datetime) -> bool:
    """Write what an outcome makes of the message that is still being sent; True if it was."""
    if isinstance(outcome, Sent):
        return bool(_sent.run(pk=attempt.message_id, fence=attempt.fence, message_id=outcome.number, sent_at=now))
    return _note(attempt, outcome, now, [State.SENDING])


def _note(attempt: Attempt, outcome: Outcome, now: datetime, states: Sequence[Message.State]) -> bool:
    """Write what an outcome makes of the message; True if that is in one of these states."""
    row = Message.objects.filter(pk=attempt.message_id, fence=attempt.fence, state__in=states)
    return bool(row.update(**{"claimed_until": None} | _state_after(attempt, outcome, now)))


def _state_after(attempt: Attempt, outcome: Outcome, now: datetime) -> dict[str, Any]:
    match outcome:
        case Sent(number=number):
            return {"state": State.SENT, "message_id": number, "sent_at": now, "last_error": ""}
        case NotSent(reason=reason, retry_after=wish):
            wait = backoff(attempt.fence) if wish is None else wish
            return {"state": State.READY, "not_before": now + wait, "last_error": reason}
        case Refused(reason=reason):
            return {"state": State.DEAD, "last_error": reason}
        case Unknown(reason=reason) if attempt.message.is_repeatable:
            # Asking once more does no harm, as soon as the first call can't arrive after it any more.
            again_at = max(now, attempt.deadline) + backoff(attempt.fence)
            return {"state": State.READY, "not_before": again_at, "last_error": reason}
        case Unknown(reason=reason):
            look_at = max(now, attempt.deadline) + timedelta(seconds=settings.TELEGRAM_QUIET_SECONDS)
            return {"state": State.UNKNOWN, "claimed_until": look_at, "last_error": reason}


def locked(message: Message) -> Message:
    """The message, with its publication read again and locked against other decisions."""
    publication = _held.first(pk=message.publication_id)
    if publication is None:
        raise Publication.DoesNotExist(message.publication_id)
    message.publication = publication
    return message


def backoff(tries: int) -> timedelta:
    """How long to wait after so many tries in vain where the server has no wish of its own."""
    doublings: int = 2 ** min(tries - 1, 10)
    return min(FIRST_BACKOFF * doublings, LONGEST_BACKOFF)


def _close(attempt: Attempt, outcome: Outcome, now: datetime, *, settled: bool) -> None:
    """Complete the attempt's row. What comes too late overwrites nothing there, unless it proves that it was sent."""
    close = _close_anyhow if settled or isinstance(outcome, Sent) else _close_pending
    error = "" if isinstance(outcome, Sent) else outcome.reason
    reply = outcome.reply[:LONGEST_REPLY]
    close.run(pk=attempt.pk, outcome=NAMES[type(outcome)], error=error, raw_reply=reply, finished_at=now)


def _measure(attempt: Attempt, outcome: Outcome, now: datetime) -> None:
    """How long the call took and, of a first posting, how long it had been due."""
    message, publication = attempt.message, attempt.message.publication
    post_duration.labels(NAMES[type(outcome)].value).observe((now - attempt.started_at).total_seconds())
    due_at = publication.scheduled_for or publication.approved_at
    if isinstance(outcome, Sent) and message.change == 0 and due_at is not None:
        post_wait.observe(max(0.0, (now - due_at).total_seconds()))


def _follow(message: Message, outcome: Outcome) -> None:
    """Take the publication, and after a failure its channel, where the message has gone."""
    publication = message.publication
    if isinstance(outcome, Sent):
        note_number(message.channel, outcome.number)
        complete(publication, message)
        return
    row = Publication.objects.filter(pk=publication.pk)
    match outcome:
        case NotSent():
            row.update(last_error=outcome.reason)
            _hold_channel(message, outcome)
        case Refused():
            row.update(last_error=outcome.reason, updated_at=timezone.now())
            if outcome.moved_to:
                _move(message, outcome.moved_to)
            _give_up(message, outcome.reason)
        case Unknown() if message.is_repeatable:
            row.update(last_error=outcome.reason, updated_at=timezone.now())
            errors.labels("change_unknown").inc()
        case Unknown():
            row.update(last_error=outcome.reason, updated_at=timezone.now())
            errors.labels("post_unknown").inc()
            Alert.sound(UNRESOLVED, str(message.pk), f"{message.channel}: {publication} — {outcome.reason}")


def note_number(channel: Channel, number: int | None) -> None:
    """The search for a lost post begins after the last one that is known."""
    if channel.kind == Channel.Kind.TELEGRAM and number is not None:
        _last_number.run(chat_id=channel.chat_id, number=number)


def _hold_channel(message: Message, outcome: NotSent) -> None:
    """Let the whole channel wait: what stopped this message would stop the next one."""
    channel = message.channel
    row = Channel.objects.filter(pk=channel.pk)
    if outcome.retry_after is None:
        not_before = Message.objects.values_list("not_before", flat=True).get(pk=message.pk)
        row.update(next_post_at=Greatest("next_post_at", not_before))
    if outcome.pause:
        _pause(message, outcome.reason)
    elif outcome.moved_to:
        _move(message, outcome.moved_to)


def _move(message: Message, chat_id: str) -> None:
    """Follow a chat to its new number, once; a chat that moves again and again is no chat."""
    channel = message.channel
    if channel.chat_id == channel.moved_to:
        _pause(message, _("The chat has moved twice. Check its number."))
        return
    row = Channel.objects.filter(pk=channel.pk, chat_id=channel.chat_id)
    if row.update(chat_id=chat_id, moved_to=chat_id, moved_at=timezone.now(), last_message_id=None):
        changes = Message.objects.filter(channel=channel, state=State.READY).exclude(action=Message.Action.SEND)
        for change in changes.select_related("publication", "channel").order_by("publication", "pk"):
            waiting = Message.objects.filter(pk=locked(change).pk, state=State.READY)
            if waiting.update(state=State.DEAD, last_error=standing.left_behind()):
                _give_up(change, standing.left_behind())


def _pause(message: Message, reason: str) -> None:
    channel = message.channel
    Channel.objects.filter(pk=channel.pk).update(is_paused=True, pause_reason=reason[:300])
    Alert.sound("channel_paused", channel.slug, f"{channel}: {reason}")


def _give_up(message: Message, reason: str) -> None:
    """What a refusal for good means: of a post, that its other parts don't go out either; of a change, that part."""
    publication = message.publication
    if message.is_repeatable:
        errors.labels("change_refused").inc()
        Alert.sound(CHANGE_REFUSED, str(publication.pk), f"{message.channel}: {publication} — {reason}")
        complete(publication, message)
        return
    others = Message.objects.filter(publication=publication, state=State.READY)
    others.update(state=State.DEAD, last_error=_("Not sent, because an earlier part was refused."))
    Publication.objects.filter(pk=publication.pk).update(state=Publication.State.FAILED)
    DeadLetter.record(DeadLetter.EntityType.POST, str(publication.pk), "refused", reason, attempts=1)
    errors.labels("post_refused").inc()


def complete(publication: Publication, message: Message) -> None:
    """Take the publication to where it is, once the last message of its posting or its change is at rest."""
    if message.change == 0:
        _publish_if_complete(publication)
        return
    messages = list(Message.objects.filter(publication=publication))
    change = [one for one in messages if one.change == message.change]
    if any(one.state not in Message.AT_REST for one in change):
        return
    refused = next((one.last_error for one in change if one.state == State.DEAD), "")
    now, state = timezone.now(), standing.state_of(messages)
    values: dict[str, Any] = {"state": state, "last_error": refused, "updated_at": now}
    if message.action == Message.Action.SEND:
        values["published_at"] = now
        articles_posted.inc()
    Publication.objects.filter(pk=publication.pk).update(**values)
    if not refused:
        Alert.is_over(CHANGE_REFUSED, str(publication.pk))
        _forget_failure(publication)


def _forget_failure(publication: Publication) -> None:
    if letter := _letter.first(reference=str(publication.pk)):
        letter.delete()


def _publish_if_complete(publication: Publication) -> None:
    now = timezone.now()
    if _published.run(pk=publication.pk, published_at=now, updated_at=now):
        _forget_failure(publication)
        articles_posted.inc()


# --- what each post asks --------------------------------------------------------------------------------------------

_held = Prepared(lambda: Publication.objects.select_for_update().filter(pk=PK))
_sent = PreparedUpdate(
    lambda: Message.objects.filter(pk=PK, fence=Blank("fence", BigIntegerField()), state=State.SENDING),
    *("message_id", "sent_at"),
    state=State.SENT,
    claimed_until=None,
    last_error="",
)
_close_anyhow, _close_pending = (
    PreparedUpdate(partial(Attempt.objects.filter, pk=PK, **conditions), "outcome", "error", "raw_reply", "finished_at")
    for conditions in ({}, {"outcome": Attempt.Outcome.PENDING})
)
_last_number = PreparedUpdate(
    lambda: Channel.objects.filter(kind=Channel.Kind.TELEGRAM, chat_id=Blank("chat_id", CharField())),
    last_message_id=Greatest(Coalesce("last_message_id", 0), Blank("number", BigIntegerField())),
)
# Once none of its parts is left to be sent.
_published = PreparedUpdate(
    lambda: Publication.objects.filter(
        ~Exists(Message.objects.filter(publication=OuterRef("pk")).exclude(state=State.SENT)),
        pk=PK,
        published_at=None,
    ),
    *("published_at", "updated_at"),
    state=Publication.State.PUBLISHED,
    last_error="",
)
_letter = Prepared(
    lambda: DeadLetter.objects.filter(
        entity_type=DeadLetter.EntityType.POST, entity_ref=Blank("reference", CharField())
    ).order_by()[:1]
)
