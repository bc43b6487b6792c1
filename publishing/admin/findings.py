"""A message of which nobody knows whether it was sent: all that is known, laid out for the person who decides."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from publishing import approval, post_links, resolving
from publishing.admin import decisions
from publishing.models import Attempt, Channel, Message, Probe, Publication
from publishing.preview import Look, look
from publishing.reconciling import LOOK_AHEAD

# The buttons: it is there, it is there as this, it is not there, and the number of a post that is known to be there.
ANSWERS = {"_was_sent", "_sent_as", "_send_again", "_note_post"}


@dataclass(frozen=True)
class Doubt:
    """One message in doubt, the call nobody has an answer to, and what was found where it should stand."""

    message: Message
    attempt: Attempt | None
    probes: list[Probe]
    look: Look
    channel_link: str

    @property
    def finds(self) -> list[Probe]:
        """The looks that came upon something, or were never answered."""
        return [probe for probe in self.probes if probe.found != Probe.Found.NOTHING]

    @property
    def empty_numbers(self) -> list[int]:
        """The numbers under which nothing stands."""
        return sorted({probe.number for probe in self.probes if probe.found == Probe.Found.NOTHING})

    @property
    def window(self) -> tuple[int, int] | None:
        """The numbers under which it may stand in the channel; None if no earlier post is known."""
        known = self.attempt.last_message_id if self.attempt else None
        return None if known is None else (known + 1, known + LOOK_AHEAD)


@dataclass(frozen=True)
class Row:
    """One message as the page lists it, with the address of its post."""

    message: Message
    link: str


def doubts(publication: Publication) -> list[Doubt]:
    """The messages of a publication that need a person, or are still being looked for."""
    return [_doubt(publication, message) for message in publication.messages.all() if message.is_unresolved]


def _doubt(publication: Publication, message: Message) -> Doubt:
    attempt = Attempt.objects.filter(message=message).order_by("-fence").prefetch_related("probes").first()
    return Doubt(
        message=message,
        attempt=attempt,
        probes=list(attempt.probes.all()) if attempt else [],
        look=look(message.payload),
        channel_link=_last_known(publication.channel, attempt),
    )


def _last_known(channel: Channel, attempt: Attempt | None) -> str:
    """The address of the channel's last known post before a call; empty where there is none in its present chat."""
    if attempt is None or channel.has_moved_since(attempt.started_at):
        return ""
    return post_links.link(channel, attempt.last_message_id)


def rows(publication: Publication) -> list[Row]:
    """The messages of a publication in the order in which they were decided."""
    known = publication.messages.order_by("change", "ordinal").prefetch_related("attempts")
    return [Row(message, post_links.link_to(message, publication.channel)) for message in known]


def settle(request: HttpRequest, publication: Publication) -> HttpResponse:
    """A person has looked into the channel: the message is there, perhaps as this post, or is to be sent once more."""
    if not request.user.has_perm("publishing.approve_publication"):
        raise PermissionDenied
    answer = next(name for name in ANSWERS if name in request.POST)
    chosen = request.POST[answer]
    message = get_object_or_404(publication.messages, pk=chosen if chosen.isdecimal() else None)
    try:
        _settle(request, publication, message, answer)
    except (approval.ApprovalError, post_links.NoPost) as error:
        messages.error(request, str(error))
    else:
        decisions.ring_channels([publication.pk])
        messages.success(request, _("Noted: the channel goes on."))
    return HttpResponseRedirect(request.path)


def _settle(request: HttpRequest, publication: Publication, message: Message, answer: str) -> None:
    by = decisions.decider(request)
    if answer == "_send_again":
        resolving.send_again(message.pk, by=by)
    elif answer == "_was_sent":
        resolving.resolve_as_sent(message.pk, by=by)
    else:
        number = post_links.number_of(request.POST.get(f"post-{message.pk}", ""), publication.channel)
        verb = resolving.note_post if answer == "_note_post" else resolving.resolve_as_sent
        verb(message.pk, by=by, number=number)
