"""Whether a publication is about what somebody has subscribed to. Pure, but for reading the publication."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from articles.indexing import document_of
from articles.search.query import Query, is_in, parse
from publishing.models import Mailing, Message, Publication, Subscription
from publishing.post_links import link_to


@dataclass(frozen=True)
class Item:
    """A publication as it is looked at: its tags, the places of its stems, and how it is told."""

    title: str
    url: str
    article_id: int
    published_at: datetime
    tags: frozenset[int]
    positions: dict[str, list[int]]

    def is_wanted(self, subscriptions: Iterable[Subscription]) -> bool:
        """Whether one of the subscriptions, which must have been there before it was published, is to this."""
        return any(one.created_at <= self.published_at and self._fits(one) for one in subscriptions)

    def _fits(self, subscription: Subscription) -> bool:
        if subscription.kind == Subscription.Kind.TOPIC:
            return subscription.tag_id in self.tags
        query = query_of(subscription.words)
        wanted = bool(query.wanted) and all(is_in(phrase, self.positions) for phrase in query.wanted)
        return wanted and not any(is_in(phrase, self.positions) for phrase in query.unwanted)


@lru_cache(20_000)
def query_of(words: str) -> Query:
    """Words that somebody has subscribed to, as they are searched."""
    return parse(words)


def items_of(mailing: Mailing) -> list[Item]:
    """What is in a mailing of news, the newest first; an article that was posted in several channels is in it once."""
    publications = Publication.objects.filter(pk__in=mailing.items.values("publication"), article__isnull=False)
    publications = publications.select_related("article", "channel").prefetch_related("article__tags")
    newest_first = publications.order_by("-published_at", "-pk")
    items = {publication.article_id: _item(publication) for publication in newest_first}
    return list(items.values())


def _item(publication: Publication) -> Item:
    article = publication.article
    assert article is not None  # noqa: S101  only those are asked for
    assert publication.published_at is not None  # noqa: S101
    first = Message.objects.filter(publication=publication, action=Message.Action.SEND, state=Message.State.SENT)
    post = first.order_by("-change", "ordinal").first()
    return Item(
        title=publication.title,
        url=(link_to(post, publication.channel) if post else "") or article.url,
        article_id=article.pk,
        published_at=publication.published_at,
        tags=frozenset(tag.pk for tag in article.tags.all()),
        positions=document_of(article).positions,
    )
