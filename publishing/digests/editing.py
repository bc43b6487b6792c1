"""What editors do to a digest before it is out: order it, take stories in and out, rewrite, write by hand.

Each verb is one transaction bound to the `revision` the person has seen: of two editors the second one is told, and
looks first. The digest's text and its post follow at once, and the post's history says who it
was; what a model has to write, workers write.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F, Max, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from publishing import approval
from publishing.digests import choosing, finishing, writing
from publishing.digests.errors import Overtaken, Settled
from publishing.models import Digest, DigestItem, DigestSection, Publication

# Who changes it; None for the product itself.
Person = AbstractBaseUser | None


@contextmanager
def revised(digest_id: int, revision: int, by: Person) -> Iterator[Digest]:
    """The digest, to be changed in the block as the next revision; its text and post follow at the end.

    Raises DigestError if somebody has changed it since, or it can't be changed any more.
    """
    with transaction.atomic():
        row = Digest.objects.filter(pk=digest_id)
        is_kept = row.filter(revision=revision, state=Digest.State.READY, is_current=True).update(
            revision=F("revision") + 1
        )
        digest = row.select_related("channel").get()
        if not is_kept:
            _refuse(digest, revision)
        # Locked, so that nobody approves it while its text changes.
        publication = Publication.objects.select_for_update().filter(digest=digest).first()
        if publication and publication.state not in approval.UNDECIDED:
            raise Settled(_("Its post is decided already: return it to the queue, or make a new version."))
        yield digest
        digest.text = finishing.compose(finishing.included(digest))
        row.update(text=digest.text, title=digest.title, updated_at=timezone.now())
        finishing.bring_up_to_date(digest, by=by)


def _refuse(digest: Digest, revision: int) -> None:
    if digest.revision != revision:
        raise Overtaken(_("Somebody has changed this digest meanwhile. Look at it as it is now first."))
    raise Settled(_("Only the current version of a digest can be changed."))


def arrange(digest_id: int, order: Sequence[int], *, revision: int, by: Person = None) -> None:
    """Put the digest's sections into an order of their numbers; those that aren't named follow as they stood."""
    with revised(digest_id, revision, by) as digest:
        known = list(digest.sections.order_by("position", "pk").values_list("pk", flat=True))
        named = [pk for pk in dict.fromkeys(order) if pk in known]
        for position, pk in enumerate([*named, *(pk for pk in known if pk not in named)], start=1):
            digest.sections.filter(pk=pk).update(position=position)


def take_in(digest_id: int, section_id: int, *, revision: int, by: Person = None) -> None:
    """Give a story its place, at the end; it is written if it has no text yet."""
    with revised(digest_id, revision, by) as digest:
        section = _section(digest, section_id)
        last = digest.sections.filter(is_included=True).aggregate(last=Max("position"))["last"] or 0
        digest.sections.filter(position__gt=last).update(position=F("position") + 1)
        _section_row(section).update(is_included=True, position=last + 1)
        if not section.text:
            _await(digest, section, "")


def take_out(digest_id: int, section_id: int, *, revision: int, by: Person = None) -> None:
    """Leave a story out. Its text is kept, and later versions leave it out too."""
    with revised(digest_id, revision, by) as digest:
        _section_row(_section(digest, section_id)).update(is_included=False, is_pinned=False, is_awaited=False)


def pin(digest_id: int, section_id: int, *, revision: int, is_pinned: bool, by: Person = None) -> None:
    """Let a story stay at the top, in later versions too; or no longer."""
    with revised(digest_id, revision, by) as digest:
        section = _section(digest, section_id)
        if is_pinned and section.is_included:
            digest.sections.filter(position__lt=section.position, is_pinned=False).update(position=F("position") + 1)
            pinned = digest.sections.filter(is_pinned=True).exclude(pk=section.pk)
            last = pinned.aggregate(last=Max("position"))["last"] or 0
            _section_row(section).update(position=last + 1 if last < section.position else section.position)
        _section_row(section).update(is_pinned=is_pinned and section.is_included)


def rewrite(digest_id: int, section_id: int, *, revision: int, instruction: str, by: Person = None) -> None:
    """Let a model write a section anew, with an editor's wish; until it has, the text stays as it is."""
    with revised(digest_id, revision, by) as digest:
        _await(digest, _section(digest, section_id), instruction.strip()[:1000])


def write(digest_id: int, section_id: int, *, revision: int, heading: str, text: str, by: Person = None) -> None:
    """Give a section an editor's own words. What a model is writing for it at the moment is dropped."""
    with revised(digest_id, revision, by) as digest:
        section = _section(digest, section_id)
        _section_row(section).update(
            heading=heading.strip()[:300],
            text=text.strip(),
            previous_text=section.text if text.strip() != section.text else section.previous_text,
            is_edited=True,
            is_awaited=False,
            edited_by=by,
            error="",
            findings=_found(digest, section, heading, text.strip()),
        )


def put_back(digest_id: int, section_id: int, *, revision: int, by: Person = None) -> None:
    """Exchange a section's text for the one before its last change."""
    with revised(digest_id, revision, by) as digest:
        section = _section(digest, section_id)
        _section_row(section).update(
            text=section.previous_text,
            previous_text=section.text,
            is_awaited=False,
            findings=_found(digest, section, section.heading, section.previous_text),
        )


def entitle(digest_id: int, title: str, *, revision: int, by: Person = None) -> None:
    """Give a digest another title."""
    with revised(digest_id, revision, by) as digest:
        digest.title = title.strip()[:300]


def set_aside(digest_id: int, item_id: int, *, revision: int, is_dropped: bool, by: Person = None) -> None:
    """Let a section no longer stand on an article, or stand on it again; its text is checked anew."""
    with revised(digest_id, revision, by) as digest:
        item = DigestItem.objects.filter(digest=digest, pk=item_id).select_related("section").first()
        if item is None or item.section is None:
            raise Overtaken(_("This article no longer belongs to the digest."))
        DigestItem.objects.filter(pk=item.pk).update(is_dropped=is_dropped)
        found = _found(digest, item.section, item.section.heading, item.section.text)
        _section_row(item.section).update(findings=found, notes=[])


def _section(digest: Digest, section_id: int) -> DigestSection:
    """A section of the digest, locked. Raises Overtaken if there is no such section."""
    section = digest.sections.select_for_update().filter(pk=section_id).first()
    if section is None:
        raise Overtaken(_("This section no longer belongs to the digest."))
    return section


def _section_row(section: DigestSection) -> QuerySet[DigestSection]:
    return DigestSection.objects.filter(pk=section.pk)


def _await(digest: Digest, section: DigestSection, instruction: str) -> None:
    """Have a section written. Whoever works on the digest right now keeps it, and comes to this section next."""
    _section_row(section).update(is_awaited=True, instruction=instruction, notes=[], error="")
    Digest.objects.filter(pk=digest.pk).update(next_step_at=Coalesce("next_step_at", timezone.now()))


def _found(digest: Digest, section: DigestSection, heading: str, text: str) -> list[dict[str, object]]:
    return writing.check(text, heading, choosing.texts(section), digest.period_end) if text else []
