"""Reactions to what was published, as the admin shows them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from publishing.models import Message, PostReactions, Publication

# Of all kinds so many are shown.
SHOWN = 8


def together() -> Coalesce:
    """How often readers have reacted to a publication's posts, as an annotation of publications."""
    told = PostReactions.objects.filter(channel=OuterRef("channel"), message_id=OuterRef("message_id"))
    posts = Message.objects.filter(publication=OuterRef("pk"), action=Message.Action.SEND, message_id__isnull=False)
    each = posts.order_by().annotate(reactions=Subquery(told.values("total")[:1])).values("publication")
    return Coalesce(Subquery(each.annotate(all=Sum("reactions")).values("all")), 0)


def totals(publications: Iterable[Publication]) -> dict[int, Counter[str]]:
    """How often readers have reacted to the posts of each publication, by its number and by what with.

    Two queries, however many publications.
    """
    posts = Message.objects.filter(
        publication__in=[one.pk for one in publications], action=Message.Action.SEND, message_id__isnull=False
    )
    places = {
        (channel, number): publication
        for publication, channel, number in posts.values_list("publication", "channel", "message_id")
    }
    told = PostReactions.objects.filter(
        channel__in={channel for channel, _number in places}, message_id__in={number for _channel, number in places}
    )
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for row in told:
        if publication := places.get((row.channel_id, row.message_id)):
            found[publication].update(row.counts)
    return dict(found)


def in_words(counts: Counter[str]) -> str:
    """`👍 12 · ❤ 3`, the most frequent first; reactions that are pictures of Telegram's own are a ★."""
    shown: Counter[str] = Counter()
    for name, count in counts.items():
        shown["★" if name.isascii() else name] += count
    return " · ".join(f"{name} {count}" for name, count in shown.most_common(SHOWN))
