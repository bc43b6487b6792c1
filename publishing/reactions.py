"""Reactions to what was published, as the admin shows them and digests weigh them.

A chat that moves numbers its posts anew, so what stayed behind in the old one and what stands in the new one may have
the same number: what was counted before the move is of the old one, what was counted later of the new one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from publishing import standing
from publishing.models import Message, PostReactions, Publication

# Of all kinds so many are shown.
SHOWN = 8


def together() -> Coalesce:
    """How often readers have reacted to a publication's posts, as an annotation of publications."""
    moved = F("channel__moved_at")
    sent = Coalesce(OuterRef("sent_at"), moved)
    of_this_chat = Q(channel__moved_at=None) | Q(counted_at__gte=moved, channel__moved_at__lte=sent)
    of_the_old_one = Q(counted_at__lt=moved, channel__moved_at__gt=sent)
    told = PostReactions.objects.filter(
        of_this_chat | of_the_old_one, channel=OuterRef("channel"), message_id=OuterRef("message_id")
    )
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
        (post.channel_id, post.message_id, standing.is_left_behind(post, post.channel)): post.publication_id
        for post in posts.select_related("channel").only("publication", "message_id", "sent_at", "channel__moved_at")
    }
    told = PostReactions.objects.filter(
        channel__in={channel for channel, *_ in places}, message_id__in={number for _, number, _ in places}
    )
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for row in told.select_related("channel"):
        if publication := places.get((row.channel_id, row.message_id, row.channel.has_moved_since(row.counted_at))):
            found[publication].update(row.counts)
    return dict(found)


def in_words(counts: Counter[str]) -> str:
    """`👍 12 · ❤ 3`, the most frequent first; reactions that are pictures of Telegram's own are a ★."""
    shown: Counter[str] = Counter()
    for name, count in counts.items():
        shown["★" if name.isascii() else name] += count
    return " · ".join(f"{name} {count}" for name, count in shown.most_common(SHOWN))
