"""Finds out what became of a message whose outcome is unknown, by looking into its channel.

Nothing else goes out there meanwhile, so a lost post can only stand right after the last one that is known. The next
numbers are forwarded, one by one, to the channel's private audit chat, read in the reply, and deleted there. A post
with the frozen text proves that it was sent. Anything else proves nothing, so then a person decides: a message is never
sent again by itself.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from publishing import bots, settling, telegram
from publishing.exclusion import only_sender
from publishing.models import Attempt, Bot, Channel, Message, Publication
from publishing.outcomes import NotSent, Outcome, Refused, Sent, Unknown
from usage.models import Alert

# So many numbers after the last known post are looked at: other authors and deleted posts leave gaps.
LOOK_AHEAD = 10
# How long one search may take before another process begins it anew.
LEASE = timedelta(minutes=3)
# After a look that Telegram did not answer.
BETWEEN_SEARCHES = timedelta(seconds=20)
LONGEST_FINDING = 300  # characters of a found post that are kept for the person who decides


@dataclass(frozen=True)
class Found:
    number: int


@dataclass(frozen=True)
class NotFound:
    """The search is over; why a person has to decide."""

    reason: str


@dataclass(frozen=True)
class NoAnswer:
    """Telegram could not be asked right now."""


Search = Found | NotFound | NoAnswer


def due() -> QuerySet[Message]:
    """Unknown messages whose deadline and quiet time are over."""
    waited = Q(claimed_until=None) | Q(claimed_until__lte=timezone.now())
    return Message.objects.filter(waited, state=Message.State.UNKNOWN)


def reconcile(message_id: int) -> bool:
    """Look for one unknown message if that is due; True if it was settled or given to a person."""
    message = due().select_related("channel").filter(pk=message_id).first()
    if message is None:
        return False
    with only_sender(message.channel_id) as is_held:
        row = Message.objects.filter(pk=message.pk, state=Message.State.UNKNOWN, claimed_until=message.claimed_until)
        if not is_held or not row.update(claimed_until=timezone.now() + LEASE):
            return False
        attempt = Attempt.objects.get(message=message, fence=message.fence)
        attempt.message = message
        match _search(message.channel, attempt):
            case Found(number=number):
                settling.settle(attempt, Sent(number))
            case NotFound(reason=reason):
                _ask_a_person(message, reason)
            case NoAnswer():
                later = timezone.now() + BETWEEN_SEARCHES
                Message.objects.filter(pk=message.pk, state=Message.State.UNKNOWN).update(claimed_until=later)
                return False
    return True


@transaction.atomic
def _ask_a_person(message: Message, reason: str) -> None:
    row = Message.objects.filter(pk=message.pk, fence=message.fence, state=Message.State.UNKNOWN)
    if not row.update(state=Message.State.NEEDS_PERSON, claimed_until=None, last_error=reason):
        return
    Publication.objects.filter(pk=message.publication_id).update(last_error=reason, updated_at=timezone.now())
    text = _("Decide in the admin what became of a post in %(channel)s: %(reason)s")
    Alert.sound(settling.UNRESOLVED, str(message.pk), text % {"channel": message.channel, "reason": reason})


def _search(channel: Channel, attempt: Attempt) -> Search:
    if channel.kind != Channel.Kind.TELEGRAM or not channel.audit_chat_id:
        return NotFound(_("The channel has no audit chat in which the post could be looked up."))
    if attempt.last_message_id is None:
        return NotFound(_("No earlier post of the channel is known, so there is no place to look for this one."))
    ours = set(Message.objects.filter(channel=channel, message_id__isnull=False).values_list("message_id", flat=True))
    attempt.findings = []
    for number in range(attempt.last_message_id + 1, attempt.last_message_id + 1 + LOOK_AHEAD):
        if number in ours:
            continue
        seen = _look(channel, number)
        if isinstance(seen, NotFound | NoAnswer):
            return seen
        if seen is not None:
            attempt.findings.append({"number": number, "text": seen[:LONGEST_FINDING]})
            attempt.save(update_fields=["findings"])
        if seen is not None and seen.strip() == attempt.message.payload["text"].strip():
            return Found(number)
    return NotFound(_("The post was not found where it should stand in the channel."))


def _look(channel: Channel, number: int) -> str | NotFound | NoAnswer | None:
    """The text that stands under a number of the channel; None if nothing does."""
    if not _take_turn(channel):
        return NoAnswer()
    post = telegram.forward(channel, number)
    if isinstance(post, telegram.Post):
        if _take_turn(channel):
            telegram.delete_probe(channel, post.number)
        return post.text
    return _explain(channel, post)


def _explain(channel: Channel, outcome: Outcome) -> NotFound | NoAnswer | None:
    """What it means that a post could not be forwarded."""
    if isinstance(outcome, Refused) and telegram.says_there_is_none(outcome):
        return None
    bots.learn(channel, outcome)
    match outcome:
        case Refused(reason=reason) | NotSent(pause=True, reason=reason) | NotSent(stops_bot=True, reason=reason):
            return NotFound(_("The channel could not be searched: %(reason)s") % {"reason": reason})
        case NotSent() | Unknown() | Sent():
            return NoAnswer()


def _take_turn(channel: Channel) -> bool:
    """Wait for the bot's and the audit chat's pace; False if the bot must not be called for now."""
    moment = Bot.book(channel.token_env, timezone.now())
    if moment is None:
        return False
    wait = (moment - timezone.now()).total_seconds()
    time.sleep(max(0.0, wait, settings.TELEGRAM_SECONDS_BETWEEN_MESSAGES))
    return True
