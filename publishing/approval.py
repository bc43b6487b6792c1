"""What editors decide about a publication before it is out. Each decision is kept with its maker.

Each verb is one transaction and one conditional update: two editors who decide at once get one decision and one
sentence that says so. Nothing here calls the network; delivery finds what was approved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from publishing.models import Message, Publication
from publishing.rendering import payload_hash, render

State = Publication.State
UNDECIDED = (State.DRAFT, State.PENDING)
RETURNABLE = (State.APPROVED, State.SENDING, State.HELD, State.REJECTED, State.FAILED)
# Messages in these states have certainly not reached anybody and are not on their way.
NOT_SENT = (Message.State.READY, Message.State.DEAD)


class ApprovalError(Exception):
    """The decision was not taken; the text is a sentence for the person who asked, in their language.

    ApprovalError
    ├── AlreadyDecided   somebody was faster, or it has gone out
    ├── Changed          the text is not the one the person has seen
    ├── NothingToSend    there is no text
    └── Missing          there is no such publication
    """


class AlreadyDecided(ApprovalError):
    pass


class Changed(ApprovalError):
    pass


class NothingToSend(ApprovalError):
    pass


class Missing(ApprovalError):
    pass


@dataclass(frozen=True)
class Tally:
    """How many of many were decided, and why the others were not (each reason once). `decided` are their numbers."""

    done: int
    refused: int
    reasons: tuple[str, ...] = ()
    decided: tuple[int, ...] = ()


@transaction.atomic
def approve(
    publication_id: int,
    *,
    by: AbstractBaseUser | None,
    revision: int | None = None,
    scheduled_for: datetime | None = None,
    hold: timedelta = timedelta(),
) -> Publication:
    """Freeze what the publication says into messages that are due now, or at `scheduled_for` (aware) if that is ahead.

    With `revision` only the version with that number is approved. `by` is None for a channel that approves by itself.
    What is due now waits for `hold` first, so that the person may still think better of it. Raises ApprovalError if it
    is decided already, was changed meanwhile, or has no text.
    """
    publication = current(publication_id, revision)
    parts = render(publication)
    if not parts:
        raise NothingToSend(_("There is nothing to send: write a title or a text first."))
    now = timezone.now()
    due = scheduled_for if scheduled_for and scheduled_for > now else None
    change(
        publication,
        UNDECIDED,
        state=State.APPROVED,
        approved_by=by,
        approved_at=now,
        scheduled_for=due,
        reason="",
        last_error="",
    )
    payloads = [part.payload() for part in parts]
    Message.objects.bulk_create(
        Message(
            publication=publication,
            channel=publication.channel,
            ordinal=ordinal,
            payload=payload,
            payload_hash=payload_hash(payload),
            priority=publication.priority,
            not_before=due or now + hold,
        )
        for ordinal, payload in enumerate(payloads, start=1)
    )
    return recorded(publication, by, "approved" if due is None else "scheduled")


@transaction.atomic
def break_news(
    publication_id: int,
    *,
    by: AbstractBaseUser | None,
    revision: int | None = None,
    even_in_quiet_hours: bool = False,
) -> Publication:
    """Let the publication go out before all that is no breaking news, and approve it if nobody has.

    With `even_in_quiet_hours` it waits for no morning. What is scheduled goes out at its time. Raises ApprovalError.
    """
    publication = current(publication_id, revision)
    change(
        publication,
        (*UNDECIDED, State.APPROVED),
        priority=Publication.BREAKING,
        ignores_quiet_hours=even_in_quiet_hours,
    )
    if publication.state in UNDECIDED:
        return approve(publication_id, by=by, revision=revision)
    Message.objects.filter(publication=publication, state=Message.State.READY).update(priority=Publication.BREAKING)
    return recorded(publication, by, "breaking")


@transaction.atomic
def reject(
    publication_id: int, *, by: AbstractBaseUser | None, reason: str = "", revision: int | None = None
) -> Publication:
    """Decide that the publication doesn't go out; `reason` is for the other editors.

    With `revision` only the version with that number is rejected. Raises ApprovalError.
    """
    publication = current(publication_id, revision)
    change(publication, UNDECIDED, state=State.REJECTED, reason=reason[:300])
    return recorded(publication, by, "rejected")


@transaction.atomic
def edit(publication_id: int, *, by: AbstractBaseUser | None, revision: int, title: str, text: str) -> Publication:
    """Give the publication another title and text, if nobody has changed it since `revision` was shown.

    An approved publication is frozen and must be withdrawn first. Raises ApprovalError.
    """
    publication = current(publication_id, revision)
    change(publication, UNDECIDED, title=title[:1000], edited_text=text, revision=F("revision") + 1)
    return recorded(publication, by, "edited")


@transaction.atomic
def withdraw(publication_id: int, *, by: AbstractBaseUser | None, decided_at: datetime | None = None) -> Publication:
    """Return a decided publication to the queue, so that it can be changed and decided again.

    Its frozen messages are dropped. With `decided_at` only a row that nobody has written since is returned. Raises
    ApprovalError if one of the messages was sent, is being sent, or may have been.
    """
    publication = current(publication_id)
    if decided_at is not None and publication.updated_at != decided_at:
        raise Changed(_("Something has happened to this publication meanwhile. Look at it before you change it."))
    change(
        publication,
        RETURNABLE,
        state=State.PENDING,
        approved_by=None,
        approved_at=None,
        scheduled_for=None,
        priority=0 if publication.is_breaking else publication.priority,
        ignores_quiet_hours=False,
        reason="",
        last_error="",
    )
    # Locked, so that no sender claims one between the look and the deletion.
    messages = Message.objects.filter(publication=publication)
    if any(message.state not in NOT_SENT for message in messages.select_for_update()):
        raise AlreadyDecided(_("It is too late to withdraw: it was sent already, or is being sent right now."))
    messages.delete()
    return recorded(publication, by, "withdrawn")


def approve_many(
    publication_ids: Iterable[int],
    *,
    by: AbstractBaseUser | None,
    scheduled_for: datetime | None = None,
    seen: Mapping[int, int] | None = None,
    hold: timedelta = timedelta(),
) -> Tally:
    """Approve each of them; what can't be approved is counted and costs only itself.

    `seen` are the revisions the person was shown, by publication: those are bound to what was seen.
    """
    revisions = seen or {}
    return _each(
        publication_ids,
        lambda pk: approve(pk, by=by, revision=revisions.get(pk), scheduled_for=scheduled_for, hold=hold),
    )


def break_many(
    publication_ids: Iterable[int],
    *,
    by: AbstractBaseUser | None,
    even_in_quiet_hours: bool = False,
    seen: Mapping[int, int] | None = None,
) -> Tally:
    """Let each of them go out as breaking news; what can't be is counted and costs only itself."""
    revisions = seen or {}
    return _each(
        publication_ids,
        lambda pk: break_news(pk, by=by, revision=revisions.get(pk), even_in_quiet_hours=even_in_quiet_hours),
    )


def reject_many(publication_ids: Iterable[int], *, by: AbstractBaseUser | None, reason: str = "") -> Tally:
    """Reject each of them; what can't be rejected is counted and costs only itself."""
    return _each(publication_ids, lambda pk: reject(pk, by=by, reason=reason))


def withdraw_many(
    publication_ids: Iterable[int],
    *,
    by: AbstractBaseUser | None,
    decided_at: Mapping[int, datetime] | None = None,
) -> Tally:
    """Return each of them to the queue; what can't be returned is counted and costs only itself.

    `decided_at` says when each was written last, as far as the person knows.
    """
    known = decided_at or {}
    return _each(publication_ids, lambda pk: withdraw(pk, by=by, decided_at=known.get(pk)))


def _each(publication_ids: Iterable[int], decide: Callable[[int], Publication]) -> Tally:
    decided, refused, reasons = list[int](), 0, dict[str, None]()
    for publication_id in publication_ids:
        try:
            decide(publication_id)
        except ApprovalError as error:
            refused += 1
            reasons[str(error)] = None
        else:
            decided.append(publication_id)
    return Tally(len(decided), refused, tuple(reasons), tuple(decided))


def current(publication_id: int, revision: int | None = None) -> Publication:
    """The publication as it is now; it must still be the revision somebody has seen, if that is given."""
    publication = Publication.objects.select_related("channel", "article").filter(pk=publication_id).first()
    if publication is None:
        raise Missing(_("This publication no longer exists."))
    if revision is not None and publication.revision != revision:
        raise Changed(_("Somebody has changed this publication meanwhile. Look at the new version first."))
    return publication


def change(publication: Publication, states: Iterable[Publication.State], **values: object) -> None:
    """Write the values if the row is still in one of the states and still the revision that was read."""
    row = Publication.objects.filter(pk=publication.pk, revision=publication.revision, state__in=list(states))
    if not row.update(updated_at=timezone.now(), **values):
        raise AlreadyDecided(
            _("This publication can't be changed any more: it is “%(state)s” by now.")
            % {"state": Publication.objects.get(pk=publication.pk).get_state_display()}
        )


def recorded(publication: Publication, by: AbstractBaseUser | None, verb: str) -> Publication:
    """The changed publication, read again and written into its history with the person and the verb."""
    publication.refresh_from_db()
    Publication.history.bulk_history_create([publication], update=True, default_user=by, default_change_reason=verb)
    return publication
