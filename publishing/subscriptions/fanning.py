"""To whom a mailing goes: its deliveries are made in batches, each a transaction that moves the mailing's cursor.

So memory is flat however many subscribers there are, a kill costs a batch at the most, and nobody is in two of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from publishing.models import Delivery, Mailing, Subscriber, Subscription
from publishing.rendering import Span, lay_out
from publishing.splitting import clean
from publishing.subscriptions.matching import Item, items_of

AT_ONCE = 500  # subscribers of one transaction
MOST_HEADLINES = 10
LONGEST_HEADLINE = 200


class Fan:
    """Makes the deliveries of one mailing. What its news are is read once, and is bounded by the mailing."""

    def __init__(self, mailing: Mailing) -> None:
        self.mailing = mailing
        self.items = items_of(mailing) if mailing.kind == Mailing.Kind.NEWS else []

    def make_batch(self) -> int | None:
        """Make the deliveries of the next batch; how many, and None once there is no subscriber left.

        If another process is at it, its batch counts and this one's is dropped.
        """
        seen = self.mailing.cursor
        readers = list(self._readers(seen))
        own = Mailing.objects.filter(pk=self.mailing.pk, cursor=seen, state=Mailing.State.MAKING)
        if not readers:
            own.update(state=Mailing.State.MADE)
            return None
        drafts = self._drafts(readers)
        last = readers[-1].pk
        with transaction.atomic():
            if not own.update(cursor=last):
                return None
            deliveries = self._still_wanted(drafts)
            self._supersede({delivery.subscriber_id for delivery in deliveries})
            Delivery.objects.bulk_create(deliveries)
        self.mailing.cursor = last
        return len(deliveries)

    def _readers(self, after: int) -> Iterable[Subscriber]:
        """The next subscribers whom the mailing may concern."""
        own = Subscription.objects.filter(subscriber=OuterRef("pk"), created_at__lte=self.mailing.out_at)
        if self.mailing.channel_id is None:
            own = own.to_news()
        else:
            own = own.filter(kind=self.mailing.kind, channel=self.mailing.channel_id)
        return Subscriber.objects.active().filter(Exists(own), pk__gt=after).order_by("pk")[:AT_ONCE]

    def _drafts(self, readers: Sequence[Subscriber]) -> list[Delivery]:
        if self.mailing.channel is None:
            return self._notes(readers)
        parts, channel = range(1, len(self.mailing.payloads) + 1), self.mailing.channel
        return [
            Delivery(mailing=self.mailing, subscriber=reader, ordinal=ordinal, not_before=due)
            for reader in readers
            for due in [reader.due_at(self.mailing.out_at, channel)]
            for ordinal in parts
        ]

    def _notes(self, readers: Sequence[Subscriber]) -> list[Delivery]:
        """Each reader's news; whoever has had as many notes as a day may bring gets no more."""
        interests: dict[int, list[Subscription]] = {reader.pk: [] for reader in readers}
        for subscription in Subscription.objects.to_news().filter(subscriber__in=interests):
            interests[subscription.subscriber_id].append(subscription)
        had, now = _notes_today(interests), timezone.now()
        notes = list[Delivery]()
        for reader in readers:
            wanted = [item for item in self.items if item.is_wanted(interests[reader.pk])]
            left = int(settings.SUBSCRIBER_NOTES_PER_DAY) - had.get(reader.pk, 0)
            if wanted and left > 0:
                payload = note(wanted, reader.language, is_last=left == 1)
                notes.append(Delivery(mailing=self.mailing, subscriber=reader, payload=payload, not_before=now))
        return notes

    def _still_wanted(self, drafts: list[Delivery]) -> list[Delivery]:
        """Those whose reader has not gone meanwhile, and can't before this transaction ends."""
        numbers = {draft.subscriber_id for draft in drafts}
        here = Subscriber.objects.active().select_for_update().filter(pk__in=numbers).order_by("pk")
        present = set(here.values_list("pk", flat=True))
        return [draft for draft in drafts if draft.subscriber_id in present]

    def _supersede(self, subscribers: set[int]) -> None:
        """Of digests that nobody could be sent for a while each gets the newest only."""
        if self.mailing.channel is None:
            return
        older = Q(mailing__kind=self.mailing.kind, mailing__channel=self.mailing.channel, mailing__lt=self.mailing.pk)
        begun = Delivery.objects.filter(
            mailing=OuterRef("mailing"), subscriber=OuterRef("subscriber"), state=Delivery.State.SENT
        )
        waiting = Delivery.objects.filter(older, ~Exists(begun), subscriber__in=subscribers)
        # By numbers: an update can't look into the table it changes on every database.
        numbers = list(waiting.filter(state=Delivery.State.READY).values_list("pk", flat=True))
        Delivery.objects.filter(pk__in=numbers).skip(_("A newer digest has taken its place."))


def _notes_today(subscribers: Iterable[int]) -> dict[int, int]:
    """How many notes each of these subscribers has had today."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = Delivery.objects.filter(
        subscriber__in=list(subscribers), created_at__gte=midnight, mailing__kind=Mailing.Kind.NEWS
    )
    counted = today.exclude(state=Delivery.State.SKIPPED).order_by().values_list("subscriber")
    return dict(counted.annotate(Count("pk")))


def note(items: Sequence[Item], language: str, *, is_last: bool) -> dict[str, Any]:
    """What somebody is told of publications, the newest first, as a payload."""
    with translation.override(language):
        head = [Span(_("What you follow"), bold=True)]
        more = len(items) - MOST_HEADLINES
        tail = _("and %(count)d more: /latest") % {"count": more} if more > 0 else ""
        end = _("No more today. /settings") if is_last else ""
    headlines = [[Span(_headline(item), url=item.url)] for item in items[:MOST_HEADLINES]]
    part = lay_out([head, *headlines, [Span(tail)], [Span(end)]])[0]
    return part.payload() | {"link_preview_options": {"is_disabled": True}}


def _headline(item: Item) -> str:
    line = " ".join(clean(item.title).split())
    return line if len(line) <= LONGEST_HEADLINE else f"{line[: LONGEST_HEADLINE - 1].rstrip()}…"
