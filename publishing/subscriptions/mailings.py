"""What is to be sent to subscribers: each published digest once, and what was published in a while together.

A publication is in one mailing at most. What was out before this life of the database began belongs to the one it was
copied from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from publishing.models import (
    Delivery,
    Digest,
    Installation,
    Mailing,
    MailingItem,
    Message,
    Publication,
    Subscription,
)
from publishing.models.publication import PublicationQuerySet
from publishing.subscriptions import people

Kind = Mailing.Kind
DIGESTS = (Kind.DAILY, Kind.WEEKLY)
# So long after its publication a mailing is still worth beginning, and so long it is worth sending.
FRESH = {Kind.DAILY: timedelta(days=1), Kind.WEEKLY: timedelta(days=3), Kind.NEWS: timedelta(hours=6)}
LASTS = {Kind.DAILY: timedelta(days=2), Kind.WEEKLY: timedelta(days=5), Kind.NEWS: timedelta(hours=12)}
# Publications of one mailing of news; those of a busier while go into the next one.
MOST_NEWS = 50
STANDS = (Publication.State.PUBLISHED, Publication.State.EDITED)


def make_due(epoch: int) -> int:
    """Make the mailings that are due, in this life of the database; how many. Harmless at any time."""
    now = timezone.now()
    return sum(_make_digests(kind, now, epoch) for kind in DIGESTS) + _make_news(now, epoch)


def is_due() -> bool:
    """Whether there is something to make a mailing of."""
    now = timezone.now()
    return any(_digests(kind, now).exists() for kind in DIGESTS) or _news(now) is not None


def bury_other_lives(epoch: int) -> int:
    """Skip what was made in another life of the database: the original has sent it, or will; how many deliveries."""
    Mailing.objects.in_the_making().exclude(epoch=epoch).update(state=Mailing.State.SKIPPED)
    others = Delivery.objects.filter(mailing__in=Mailing.objects.exclude(epoch=epoch).values("pk"))
    return others.skip(_("This database was restored or copied."))


def _fresh(kind: Mailing.Kind, now: datetime) -> PublicationQuerySet:
    """What stands in a channel that can be subscribed to, is young enough, and is in no mailing yet, by its age."""
    begun = Installation.objects.filter(since__lte=OuterRef("published_at"))
    return (
        Publication.objects.filter(state__in=STANDS, published_at__gt=now - FRESH[kind], published_at__lte=now)
        .filter(Exists(begun), channel__in=people.channels())
        .exclude(Exists(MailingItem.objects.filter(publication=OuterRef("pk"))))
        .order_by("published_at", "pk")
    )


# --- digests --------------------------------------------------------------------------------------------------------


def _digests(kind: Mailing.Kind, now: datetime) -> PublicationQuerySet:
    readers = Subscription.objects.filter(kind=kind, channel=OuterRef("channel"))
    digests = _fresh(kind, now).filter(kind=Publication.Kind.DIGEST, digest__period=kind)
    return digests.filter(Exists(readers)).select_related("channel", "digest")


def _make_digests(kind: Mailing.Kind, now: datetime, epoch: int) -> int:
    """A mailing of each channel's newest digest; older ones, and new versions of one that was sent, are skipped."""
    newest: dict[int, Publication] = {}
    waiting = list(_digests(kind, now)[:MOST_NEWS])
    for publication in waiting:
        newest[publication.channel_id] = publication
    for publication in waiting:
        is_wanted = newest[publication.channel_id] == publication and not _was_sent(publication.digest)
        _make_digest(kind, publication, epoch, is_wanted=is_wanted)
    return len(waiting)


def _was_sent(digest: Digest | None) -> bool:
    """Whether a version of the digest's period was taken into a mailing already."""
    assert digest is not None  # noqa: S101  only digests are looked at
    versions = Digest.objects.of_period(digest).values("pk")
    return MailingItem.objects.filter(publication__digest__in=versions).exclude(mailing__state="skipped").exists()


@transaction.atomic
def _make_digest(kind: Mailing.Kind, publication: Publication, epoch: int, *, is_wanted: bool) -> None:
    """What subscribers get is what the channel got: the payloads of its posts."""
    posts = Message.objects.filter(publication=publication, change=0, action=Message.Action.SEND)
    payloads = list(posts.order_by("ordinal").values_list("payload", flat=True)) if is_wanted else []
    assert publication.published_at is not None  # noqa: S101  only what is out is looked at
    mailing = Mailing.objects.create(
        kind=kind,
        channel=publication.channel,
        payloads=payloads,
        state=Mailing.State.MAKING if payloads else Mailing.State.SKIPPED,
        epoch=epoch,
        out_at=publication.published_at,
        expires_at=publication.published_at + LASTS[kind],
    )
    MailingItem.objects.create(mailing=mailing, publication=publication)


# --- news -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Batch:
    """Publications that are mailed together, and when the last of them was out."""

    publications: Sequence[int]
    out_at: datetime


def _news(now: datetime) -> Batch | None:
    """The publications that have waited long enough for others to join them; None if there are none."""
    if not Subscription.objects.to_news().exists():
        return None
    fresh: QuerySet[Publication] = _fresh(Kind.NEWS, now).filter(kind=Publication.Kind.NEWS)
    rows = list(fresh.values_list("pk", "published_at")[:MOST_NEWS])
    oldest = rows[0][1] if rows else None
    newest = rows[-1][1] if rows else None
    if oldest is None or newest is None or oldest > now - timedelta(minutes=settings.SUBSCRIBER_BATCH_MINUTES):
        return None
    return Batch([pk for pk, _moment in rows], newest)


@transaction.atomic
def _make_news(now: datetime, epoch: int) -> int:
    batch = _news(now)
    if batch is None:
        return 0
    mailing = Mailing.objects.create(
        kind=Kind.NEWS, epoch=epoch, out_at=batch.out_at, expires_at=now + LASTS[Kind.NEWS]
    )
    MailingItem.objects.bulk_create(MailingItem(mailing=mailing, publication_id=pk) for pk in batch.publications)
    return 1
