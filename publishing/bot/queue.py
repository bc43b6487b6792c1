"""The queue in the bot: one publication a message, decided by the buttons below it.

A button carries the publication and the revision that was shown, so what is decided is what was seen. A second tap,
or a second editor, finds it decided and is told so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from publishing import approval
from publishing.bot.commands import button, command
from publishing.bot.conversation import Answer, Asked, Button, ButtonRow, one_line, say
from publishing.bot.people import decider
from publishing.models import Publication
from publishing.queueing import explain
from publishing.rendering import Span
from publishing.splitting import clean

# Of a long text so much is shown, in characters: with the lines around it, it fits into one message.
SHOWN = 3000
FARTHEST = 500
MORNING = 9


@command("queue", gettext_lazy("approve, postpone or reject what waits"), for_admins=True)
def queue(asked: Asked) -> Answer:
    """The first publication that waits."""
    return _at(0)


@button("queue", for_admins=True)
def next_in_queue(asked: Asked, place: int) -> Answer:
    """The publication at this place of the queue, as a new message: the decided one above stays as a record."""
    return _at(place)


@button("leaf", for_admins=True)
def leaf_through(asked: Asked, place: int) -> Answer:
    """The publication at this place, instead of the one that was shown."""
    return _at(place, in_place=True)


@button("show", for_admins=True)
def show(asked: Asked, publication_id: int, place: int) -> Answer:
    """The publication again, with the buttons it began with."""
    publication = Publication.objects.for_queue().filter(pk=publication_id).first()
    if publication is None:
        return Answer(toast=_("This publication no longer exists."))
    return _shown(publication, place) if _is_waiting(publication) else _outcome(publication, place)


@button("approve", for_admins=True)
def approve(asked: Asked, publication_id: int, revision: int, place: int) -> Answer:
    """Approve the revision that was shown."""
    return _decide(asked, publication_id, place, lambda by: approval.approve(publication_id, by=by, revision=revision))


@button("reject", for_admins=True)
def reject(asked: Asked, publication_id: int, revision: int, place: int) -> Answer:
    """Reject the revision that was shown."""
    return _decide(asked, publication_id, place, lambda by: approval.reject(publication_id, by=by, revision=revision))


@button("undo", for_admins=True)
def withdraw(asked: Asked, publication_id: int, place: int) -> Answer:
    """Return a publication to the queue."""
    return _decide(asked, publication_id, place, lambda by: approval.withdraw(publication_id, by=by))


@button("later", for_admins=True)
def ask_when(asked: Asked, publication_id: int, revision: int, place: int) -> Answer:
    """The publication with the moments it can be postponed to."""
    publication = Publication.objects.for_queue().filter(pk=publication_id).first()
    if publication is None or not _is_waiting(publication) or publication.revision != revision:
        return show(asked, publication_id, place)
    moments = _moments(publication)
    times = [
        Button(label, "at", (publication.pk, revision, place, int(moment.timestamp()))) for label, moment in moments
    ]
    back = Button(_("‹ Back"), "show", (publication.pk, place))
    return _shown(publication, place, buttons=(tuple(times), (back,)))


@button("at", for_admins=True)
def postpone(asked: Asked, publication_id: int, revision: int, place: int, moment: int) -> Answer:
    """Approve the revision that was shown for a moment, in seconds since 1970."""
    try:
        due = datetime.fromtimestamp(moment, UTC)
    except (OverflowError, ValueError, OSError):
        return Answer(toast=_("This button no longer works."))
    if due <= timezone.now():
        return Answer(toast=_("This time has passed already."))
    return _decide(
        asked,
        publication_id,
        place,
        lambda by: approval.approve(publication_id, by=by, revision=revision, scheduled_for=due),
    )


def _decide(asked: Asked, publication_id: int, place: int, decide: Callable[[AbstractBaseUser], Publication]) -> Answer:
    """Take the decision and show what stands now; a decision that can't be taken is explained by the toast."""
    toast, decided = "", False
    try:
        decide(decider(asked.person))
        decided = True
    except approval.ApprovalError as error:
        toast = str(error)
    publication = Publication.objects.for_queue().filter(pk=publication_id).first()
    if publication is None:
        return Answer(toast=toast)
    shown = _shown(publication, place) if _is_waiting(publication) else _outcome(publication, place)
    return replace(shown, toast=toast, wakes_delivery=decided)


def _is_waiting(publication: Publication) -> bool:
    return publication.state in approval.UNDECIDED


def _at(place: int, *, in_place: bool = False) -> Answer:
    """The publication at a place of the queue; the first one if the queue has become shorter than that."""
    waiting = Publication.objects.waiting().order_by("-priority", "-created_at", "-pk")
    length = waiting.count()
    place = place if place < min(length, FARTHEST) else 0
    publication = waiting.for_queue()[place : place + 1].first()
    if publication is None:
        return say(_("Nothing waits for a decision."), in_place=in_place)
    return replace(_shown(publication, place, length=length), in_place=in_place)


def _shown(
    publication: Publication, place: int, *, length: int = 0, buttons: tuple[ButtonRow, ...] | None = None
) -> Answer:
    """The publication as it is about to be decided."""
    where = f"{place + 1}/{length} · {publication.channel}" if length else str(publication.channel)
    text = clean(publication.final_text)
    shortened = text if len(text) <= SHOWN else f"{text[:SHOWN].rstrip()}…"
    warning = f"⚠️ {one_line(publication.last_error)}" if publication.last_error else ""
    source = one_line(publication.article.source.name) if publication.article else ""
    return say(
        [Span(one_line(where)), Span(f" · {source}" if source else "")],
        [Span(one_line(publication.title), bold=True)],
        shortened,
        warning,
        buttons=_choices(publication, place, length) if buttons is None else buttons,
        in_place=True,
    )


def _choices(publication: Publication, place: int, length: int) -> tuple[ButtonRow, ...]:
    seen = (publication.pk, publication.revision, place)
    decisions = (
        Button(_("✅ Approve"), "approve", seen),
        Button(_("🕒 Postpone"), "later", seen),
        Button(_("❌ Reject"), "reject", seen),
    )
    back = [Button("‹", "leaf", (place - 1,))] if place else []
    onward = [Button("›", "leaf", (place + 1,))] if place + 1 < length else []
    return (decisions, (*back, *onward)) if back or onward else (decisions,)


def _outcome(publication: Publication, place: int) -> Answer:
    """What has become of the publication, and the way on."""
    why = explain(publication)
    who = _("by %(name)s") % {"name": publication.approved_by} if publication.approved_by else ""
    undo = [Button(_("↩ Back to the queue"), "undo", (publication.pk, place))]
    is_returnable = publication.state in approval.RETURNABLE
    return say(
        [Span(one_line(str(publication.channel)))],
        [Span(one_line(publication.title), bold=True)],
        " · ".join(filter(None, [publication.get_state_display(), who, why.detail])),
        buttons=((*(undo if is_returnable else []), Button(_("Next ›"), "queue", (place,))),),
        in_place=True,
    )


def _moments(publication: Publication) -> list[tuple[str, datetime]]:
    """When it may be postponed to: the next hours, and the next morning of the channel."""
    now = timezone.now()
    local = now.astimezone(publication.channel.zone)
    morning = (local + timedelta(days=1)).replace(hour=MORNING, minute=0, second=0, microsecond=0)
    return [
        (_("in an hour"), now + timedelta(hours=1)),
        (_("in 3 hours"), now + timedelta(hours=3)),
        (date_format(morning, "j E, H:i"), morning),
    ]
