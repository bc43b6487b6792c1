"""How a post that its channel refused is tried again: as it was approved, from the part that was refused on."""

from __future__ import annotations

from django.utils import timezone

from articles.dead_letters import Outcome, handles
from articles.models import DeadLetter
from publishing.models import Message, Publication


@handles(DeadLetter.EntityType.POST)
def send_again(ref: str) -> Outcome:
    """Let a failed publication's refused parts be due again, with their frozen payload; `ref` is its number.

    A refusal is the proof that nothing was sent, so nothing can go out twice. Parts that were sent stay.
    """
    publications = Publication.objects.select_for_update().filter(pk=int(ref[:18]) if ref.isdecimal() else 0)
    publication = publications.first()
    if publication is None:
        return Outcome.LOST
    if publication.state != Publication.State.FAILED:
        return Outcome.DUE if publication.state in Publication.IN_LINE else Outcome.FINE
    refused = Message.objects.filter(
        publication=publication, change=0, state=Message.State.DEAD, action=Message.Action.SEND
    )
    if not refused.update(state=Message.State.READY, not_before=timezone.now(), last_error=""):
        return Outcome.LOST
    Publication.objects.filter(pk=publication.pk).update(
        state=Publication.State.APPROVED, last_error="", updated_at=timezone.now()
    )
    return Outcome.DUE
