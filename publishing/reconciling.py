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

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from publishing import bots, settling, telegram
from publishing.exclusion import only_sender
from publishing.models import Attempt, Bot, Channel, Message, Probe, Publication
from publishing.models.chat import pace_of_chats
from publishing.outcomes import NotSent, Outcome, Refused, Sent, Unknown
from usage.models import Alert

# So many numbers after the last known post are looked at: other authors and deleted posts leave gaps.
LOOK_AHEAD = 10
# How long one search may take before another process begins it anew.
LEASE = timedelta(minutes=3)
# After a look that Telegram did not answer.
BETWEEN_SEARCHES = timedelta(seconds=20)
LONGEST_FINDING = 300  # characters of a found post that are kept for the person who decides
# Between two tries to remove a copy from the audit chat; Telegram allows it for 48 hours.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=20), timedelta(hours=1)


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
    """Unknown messages whose deadline and quiet time are over, and whose bot can be called to look for them."""
    now = timezone.now()
    waited = Q(claimed_until=None) | Q(claimed_until__lte=now)
    bots_of_theirs = Bot.objects.filter(token_env=OuterRef("channel__token_env"))
    bot_is_shut = Exists(bots_of_theirs) & ~Exists(bots_of_theirs.usable(now))
    in_vain = Q(channel__kind=Channel.Kind.TELEGRAM) & ~Q(channel__audit_chat_id="") & bot_is_shut
    return Message.objects.filter(waited, ~in_vain, state=Message.State.UNKNOWN)


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
    posted = Message.objects.filter(channel__in=Channel.objects.of_chat(channel), message_id__isnull=False)
    ours = set(posted.values_list("message_id", flat=True))
    for number in range(attempt.last_message_id + 1, attempt.last_message_id + 1 + LOOK_AHEAD):
        if number in ours:
            continue
        match _look(channel, attempt, number):
            case Probe.Found.MATCH:
                return Found(number)
            case NotFound() | NoAnswer() as end:
                return end
    return NotFound(_("The post was not found where it should stand in the channel."))


def _look(channel: Channel, attempt: Attempt, number: int) -> Probe.Found | NotFound | NoAnswer:
    """What stands under a number of the channel. The look is written down before it is made."""
    if not _take_turn(channel, pace_of_chats()):
        return NoAnswer()
    probe = Probe.objects.create(attempt=attempt, number=number, audit_chat_id=channel.audit_chat_id)
    post = telegram.forward(channel, number)
    if not isinstance(post, telegram.Post):
        answer = _explain(channel, post)
        if answer is Probe.Found.NOTHING:
            Probe.objects.filter(pk=probe.pk).update(found=answer)
        return answer
    bots.learn(channel, Sent(post.number))
    is_match = post.text.strip() == attempt.message.payload["text"].strip()
    probe.found = Probe.Found.MATCH if is_match else Probe.Found.OTHER
    probe.text, probe.copy_number, probe.remove_at = post.text[:LONGEST_FINDING], post.number, timezone.now()
    probe.save(update_fields=["found", "text", "copy_number", "remove_at"])
    remove_copy(probe)
    return Probe.Found(probe.found)


def _explain(channel: Channel, outcome: Outcome) -> Probe.Found | NotFound | NoAnswer:
    """What it means that a post could not be forwarded."""
    if isinstance(outcome, Refused) and telegram.says_there_is_none(outcome):
        return Probe.Found.NOTHING
    bots.learn(channel, outcome)
    match outcome:
        case Refused(reason=reason) | NotSent(pause=True, reason=reason) | NotSent(stops_bot=True, reason=reason):
            return NotFound(_("The channel could not be searched: %(reason)s") % {"reason": reason})
        case NotSent() | Unknown() | Sent():
            return NoAnswer()


def remove_copy(probe: Probe) -> bool:
    """Delete a copy from the audit chat; True once it is gone. A failure is noted, and tried again later."""
    now = timezone.now()
    pause = min(FIRST_PAUSE * 2 ** min(probe.tries, 10), LONGEST_PAUSE)
    row = Probe.objects.filter(pk=probe.pk)
    if not row.filter(remove_at=probe.remove_at).update(remove_at=now + pause, tries=probe.tries + 1):
        return False
    channel = probe.attempt.message.channel
    if probe.copy_number is None or not _take_turn(channel):
        return False
    match telegram.delete(channel.token_env, probe.audit_chat_id, probe.copy_number):
        case Sent():
            row.update(remove_at=None, removed_at=timezone.now(), error="")
            return True
        case Refused(reason=reason):
            row.update(remove_at=None, error=reason)
        case NotSent(reason=reason) | Unknown(reason=reason):
            row.update(error=reason)
    return False


def remove_copies() -> int:
    """Delete the copies whose first removal has failed; returns how many are gone now."""
    left = Probe.objects.to_be_removed().select_related("attempt__message__channel")
    return sum(remove_copy(probe) for probe in left)


def _take_turn(channel: Channel, pace: timedelta = timedelta(0)) -> bool:
    """Wait for the bot's pace and a chat's; False if the bot must not be called for now."""
    moment = Bot.book(channel.token_env, timezone.now())
    if moment is None:
        return False
    wait = (moment - timezone.now()).total_seconds()
    time.sleep(max(0.0, wait, pace.total_seconds()))
    return True
