"""What a digest's sections say together, the switch to a new version, and its way into the queue."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from publishing import approval
from publishing.models import Digest, DigestSection, Publication
from usage.models import Alert

State = Publication.State
ALERT = "digest_failed"
# Kept in the rows, and translated where it is shown.
SUPERSEDED = gettext_noop("A newer version of the digest has taken its place.")
KNOWN = gettext_noop("An earlier version of this digest is approved or out already.")
DOUBTED = gettext_noop("The fact check found something in the digest that its sources do not support.")


def compose(sections: Iterable[DigestSection]) -> str:
    """The text of a digest: each section below its heading, an empty line between them."""
    told = (section for section in sections if section.is_included and section.text)
    return "\n\n".join(f"{section.heading}\n{section.text}".strip() for section in told)


def included(digest: Digest) -> list[DigestSection]:
    """The sections of which a digest's text is made, in order."""
    return list(digest.sections.filter(is_included=True).order_by("position", "pk"))


def publication_of(digest: Digest) -> Publication | None:
    return Publication.objects.filter(digest=digest, kind=Publication.Kind.DIGEST).first()


def subject_of(digest: Digest) -> str:
    """What an alert about a period's digest is about, whichever version."""
    return f"digest:{digest.channel_id}:{digest.period}:{digest.period_start}"


@transaction.atomic
def finish(digest: Digest) -> bool:
    """Make a version that is all written the current one and queue it, or bring a rewritten one's text up to date.

    True if an editor has asked for more in the meantime.
    """
    text = compose(included(digest))
    if digest.state == Digest.State.DRAFT and not text:
        return close_empty(digest)
    is_new, values = digest.state == Digest.State.DRAFT, {"text": text, "state": Digest.State.READY}
    if not Digest.objects.held(digest).update(next_step_at=None, attempts=0, last_error="", **values):
        return False
    digest.state, digest.text, digest.next_step_at = Digest.State.READY, text, None
    if is_new:
        _make_current(digest)
        queue(digest)
    else:
        bring_up_to_date(digest)
    Alert.is_over(ALERT, subject_of(digest))
    more: bool = digest.sections.filter(is_awaited=True).exists()
    if more:
        Digest.objects.filter(pk=digest.pk).update(next_step_at=timezone.now())
    return more


def _make_current(digest: Digest) -> None:
    """Put a version in the place of the current one: nobody ever sees two, or none."""
    Digest.objects.of_period(digest).filter(is_current=True).update(is_current=False)
    Digest.objects.filter(pk=digest.pk).update(is_current=True, updated_at=timezone.now())


def close_empty(digest: Digest) -> bool:
    """End a version that has nothing to tell: no post, and the version before it stays current."""
    told = _("There was nothing to tell: no article of the period has a summary.")
    values = {"state": Digest.State.EMPTY, "next_step_at": None, "attempts": 0, "last_error": told}
    Digest.objects.held(digest).update(updated_at=timezone.now(), **values)
    return False


# --- the post -------------------------------------------------------------------------------------------------------


def queue(digest: Digest) -> Publication:
    """Put a current digest into its channel's queue, in the place of earlier versions nobody has decided.

    What approves itself is approved, unless the fact check doubts it or an earlier version is on its way or out.
    """
    others = Publication.objects.filter(digest__in=Digest.objects.of_period(digest), kind=Publication.Kind.DIGEST)
    others = others.exclude(digest=digest)
    others.filter(state__in=approval.UNDECIDED).update(
        state=State.REJECTED, reason=SUPERSEDED, revision=F("revision") + 1, updated_at=timezone.now()
    )
    publication, _created = Publication.objects.get_or_create(
        channel=digest.channel,
        digest=digest,
        kind=Publication.Kind.DIGEST,
        defaults={"title": str(digest)[:1000], "text": digest.text},
    )
    is_known = others.filter(state__in=[*Publication.IN_LINE, State.PUBLISHED, State.EDITED]).exists()
    reason = KNOWN if is_known else _approve_by_rule(digest, publication) if digest.approves_itself else ""
    if reason:
        Publication.objects.filter(pk=publication.pk).update(last_error=_(reason))
    return publication


def _approve_by_rule(digest: Digest, publication: Publication) -> str:
    """Approve a digest that needs no editor; else why it stays with them."""
    if any(section.bars_approval for section in included(digest)):
        return DOUBTED
    try:
        approval.approve(publication.pk, by=None, revision=publication.revision)
    except approval.ApprovalError as error:
        return str(error)
    return ""


def bring_up_to_date(digest: Digest, *, by: AbstractBaseUser | None = None) -> None:
    """Let the post of a digest say what the digest says, as long as nobody has decided it; its history says by whom."""
    waiting = Publication.objects.filter(digest=digest, state__in=approval.UNDECIDED)
    values = {"title": str(digest)[:1000], "text": digest.text, "edited_text": "", "last_error": ""}
    if waiting.update(revision=F("revision") + 1, updated_at=timezone.now(), **values):
        approval.recorded(Publication.objects.get(digest=digest), by, "edited")
