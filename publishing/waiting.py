"""What waits in a queue and is looked at again: news that has turned out a copy, and news whose picture has come."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from articles.models import Picture
from articles.models.media import LONGEST_WAIT
from publishing.models import Channel, Publication
from publishing.models.publication import PublicationQuerySet
from publishing.queueing import DUPLICATE, PICTURE, TURNED_DOWN, approve_by_rule

State = Publication.State
AT_ONCE = 200


def copies() -> PublicationQuerySet:
    """Waiting publications, untouched by editors, whose channel has another one of their story: a copy of theirs.

    Of two that wait the main article's stays, otherwise the one that was there first.
    """
    others = Publication.objects.filter(
        channel=OuterRef("channel"), kind=OuterRef("kind"), article__story=OuterRef("article__story")
    ).exclude(pk=OuterRef("pk"))
    alive = others.exclude(state__in=TURNED_DOWN).exclude(state=State.HELD, reason=DUPLICATE)
    is_main, is_earlier = Q(article__duplicate_of=None), Q(pk__lt=OuterRef("pk"))
    before_copy = alive.filter(~Q(state=State.PENDING) | is_main | is_earlier)
    before_main = alive.exclude(state=State.PENDING)
    touched = Publication.history.filter(id=OuterRef("pk"), history_type="~")
    waiting = Publication.objects.filter(
        state=State.PENDING, kind=Publication.Kind.NEWS, revision=1, edited_text="", article__story__isnull=False
    )
    is_copy = Q(article__duplicate_of__isnull=False) & Exists(before_copy)
    return waiting.filter(is_copy | Q(Exists(before_main))).exclude(Exists(touched))


def is_something_due() -> bool:
    """Whether anything is to be held or released now: one question for both."""
    return bool(copies().order_by().values("pk").union(illustrated().order_by().values("pk"))[:1])


def hold_copies() -> int:
    """Hold what has become known as a copy while it waited; how many."""
    held = 0
    for publication in copies().order_by("pk")[:AT_ONCE]:
        held += _move(publication, State.PENDING, state=State.HELD, reason=DUPLICATE)
    return held


def illustrated() -> PublicationQuerySet:
    """Publications that were held for their picture, and need not be any longer."""
    held = Publication.objects.filter(state=State.HELD, reason=PICTURE)
    newest = timezone.now() - LONGEST_WAIT
    awaited = Picture.objects.filter(status=Picture.Status.WANTED, created_at__gt=newest, article=OuterRef("article"))
    return held.exclude(Exists(awaited))


def release_illustrated() -> int:
    """Put them into the queue, as if they had just come; how many."""
    released = 0
    for publication in illustrated().select_related("channel", "article").order_by("pk")[:AT_ONCE]:
        with transaction.atomic():
            if not _move(publication, State.HELD, state=State.PENDING, reason=""):
                continue
            released += 1
            publication.refresh_from_db()
            if publication.channel.auto_approve == Channel.AutoApprove.ALWAYS:
                approve_by_rule(publication)
    return released


def _move(publication: Publication, before: str, **values: object) -> int:
    """Write values if nobody has written the row since it was read."""
    row = Publication.objects.filter(pk=publication.pk, state=before, updated_at=publication.updated_at)
    return row.update(updated_at=timezone.now(), **values)
