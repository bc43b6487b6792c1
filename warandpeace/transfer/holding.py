"""Nothing is sent by a transfer: what would go out by itself arrives as held, until a person releases it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_noop

from publishing.models import Channel, Message, Publication

# Kept in the rows, and translated where they are shown.
HELD_BY_TRANSFER = gettext_noop("Transferred from another database: release it, or decide anew.")
PAUSED_BY_TRANSFER = gettext_noop("Transferred from another database: release the queue when this one is in charge.")


@dataclass(frozen=True)
class Released:
    channels: int
    approved: int
    to_decide: int


def release() -> Released:
    """Let the queue go on after the switch: each publication as it stood, with its frozen messages.

    What had been approved goes out again in its turn; what never was (the old bot's queue) awaits an editor's approval.
    A channel with nothing to post to (a Telegram channel without a chat) stays paused.
    """
    now = timezone.now()
    with transaction.atomic():
        held = Publication.objects.filter(state=Publication.State.HELD, reason=HELD_BY_TRANSFER)
        parts = Message.objects.filter(publication=OuterRef("pk"))
        begun = held.filter(Exists(parts.exclude(state=Message.State.READY)))
        sending = begun.update(state=Publication.State.SENDING, reason="", updated_at=now)
        approved = held.filter(Exists(parts)).update(state=Publication.State.APPROVED, reason="", updated_at=now)
        to_decide = held.update(state=Publication.State.PENDING, reason="", updated_at=now)
        paused = Channel.objects.filter(is_paused=True, pause_reason=PAUSED_BY_TRANSFER)
        ready = paused.exclude(kind=Channel.Kind.TELEGRAM, chat_id="")
        channels = ready.update(is_paused=False, pause_reason="")
    return Released(channels, sending + approved, to_decide)
