"""What became of a message, as a person says who has looked into the channel. The decision is kept with its maker.

Each verb is one transaction, and locks the publication before its message, as settling does.
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from publishing.approval import AlreadyDecided, ApprovalError, Missing
from publishing.models import Attempt, Channel, Message, Publication
from publishing.settling import UNRESOLVED, complete, locked, note_number
from usage.models import Alert

State = Message.State


class AnotherPost(ApprovalError):
    """The number that was given can't be that of the message; the text says why."""


@transaction.atomic
def resolve_as_sent(message_id: int, *, by: AbstractBaseUser, number: int | None = None) -> Message:
    """Somebody has looked: the message stands in the channel, under `number` if they have noted it.

    Raises ApprovalError if it is known already what became of it, or if another post has the number.
    """
    message = _known(message_id)
    _check(message, number)
    now = timezone.now()
    _decide(message, by, state=State.SENT, sent_at=now, message_id=number)
    note_number(message.channel, number)
    complete(message.publication, message)
    return _noted(message, by, "resolved as sent")


@transaction.atomic
def send_again(message_id: int, *, by: AbstractBaseUser) -> Message:
    """Somebody has looked: the message isn't in the channel, so it is due again.

    Raises ApprovalError if it is known already what became of it.
    """
    message = _known(message_id)
    _decide(message, by, state=State.READY, not_before=timezone.now())
    return _noted(message, by, "sent again")


@transaction.atomic
def note_post(message_id: int, *, by: AbstractBaseUser, number: int) -> Message:
    """Somebody has found the number of a post of which only that it was sent is known. Raises ApprovalError."""
    message = _known(message_id)
    _check(message, number)
    if not Message.objects.filter(pk=message.pk, state=State.SENT, message_id=None).update(message_id=number):
        raise AlreadyDecided(_("The number of this post is known already."))
    note_number(message.channel, number)
    return _noted(message, by, "number noted")


def _known(message_id: int) -> Message:
    message = Message.objects.filter(pk=message_id).first()
    if message is None:
        raise Missing(_("This message no longer exists."))
    return locked(message)


def _check(message: Message, number: int | None) -> None:
    """Numbers of a chat only rise, and no two posts have the same."""
    if number is None:
        return
    before = (
        Attempt.objects.filter(message=message).order_by("-fence").values_list("last_message_id", flat=True).first()
    )
    if before is not None and number <= before:
        older = _("Number %(number)d stood in the channel before this message was sent: the last one was %(last)d.")
        raise AnotherPost(older % {"number": number, "last": before})
    chat = Channel.objects.of_chat(message.channel)
    if Message.objects.filter(channel__in=chat, message_id=number).exclude(pk=message.pk).exists():
        raise AnotherPost(_("Number %(number)d is another post of ours.") % {"number": number})


def _decide(message: Message, by: AbstractBaseUser, **values: object) -> None:
    row = Message.objects.unresolved().filter(pk=message.pk)
    if not row.update(resolved_by=by, resolved_at=timezone.now(), claimed_until=None, last_error="", **values):
        raise AlreadyDecided(_("It is known already what became of this message."))
    Alert.is_over(UNRESOLVED, str(message.pk))


def _noted(message: Message, by: AbstractBaseUser, verb: str) -> Message:
    """The message as it is now; the decision stands in the history of its publication."""
    message.refresh_from_db()
    Publication.history.bulk_history_create(
        [message.publication], update=True, default_user=by, default_change_reason=f"part {message.ordinal}: {verb}"
    )
    return message
