"""What tests of subscribers share: people who have subscribed, and what is out for them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from articles.models import ArticleTag, Tag
from publishing import holding
from publishing.models import (
    Channel,
    Delivery,
    Digest,
    Installation,
    Message,
    Publication,
    Subscriber,
    Subscription,
)
from publishing.rendering import payload_hash, render
from publishing.subscriptions import sending
from tests.factories import ArticleFactory, ChannelFactory, PublicationFactory

LONG_AGO = timedelta(days=30)
FIRST_PERSON = 1000


def begin() -> None:
    """This life of the database began long ago."""
    holding.inspect()
    Installation.objects.update(since=timezone.now() - LONG_AGO)


def reader(number: int = 0, *, since: datetime | None = None, **wants: Any) -> Subscriber:
    """Somebody who has subscribed to one thing, long ago if nothing else is said."""
    person, _new = Subscriber.objects.get_or_create(
        telegram_user_id=FIRST_PERSON + number, defaults={"language": "en", "send_at": wants.pop("send_at", None)}
    )
    Subscription.objects.create(subscriber=person, created_at=since or timezone.now() - LONG_AGO, **wants)
    return person


def digest_out(
    channel: Channel | None = None, *, text: str = "Порт открыт.", ago: timedelta = timedelta(minutes=1), **fields: Any
) -> Publication:
    """A digest that has been posted."""
    channel = channel or ChannelFactory.create()
    day = timezone.localdate() - timedelta(days=Digest.objects.count() + 1)
    values = {"period": "daily", "period_start": day, "period_end": day, "is_current": True, "state": "ready"}
    digest = Digest.objects.create(channel=channel, title="День", text=text, **values | fields)
    publication = Publication.objects.create(
        channel=channel, digest=digest, kind=Publication.Kind.DIGEST, title=digest.title, text=text
    )
    return posted(publication, ago)


def news_out(
    title: str = "Порт закрыт", *, tag: str = "", ago: timedelta = timedelta(hours=1), **fields: Any
) -> Publication:
    """News that has been posted, about a topic if one is named."""
    article = ArticleFactory.create(title=title, content=title, summary_text=title)
    if tag:
        ArticleTag.objects.create(article=article, tag=topic(tag))
    return posted(PublicationFactory.create(article=article, **fields), ago)


def posted(publication: Publication, ago: timedelta) -> Publication:
    """The publication as if it had been sent so long ago."""
    moment = timezone.now() - ago
    for ordinal, part in enumerate(render(publication), start=1):
        payload = part.payload()
        Message.objects.create(
            publication=publication,
            channel=publication.channel,
            ordinal=ordinal,
            payload=payload,
            payload_hash=payload_hash(payload),
            state=Message.State.SENT,
            sent_at=moment,
            message_id=publication.pk * 10 + ordinal,
        )
    Publication.objects.filter(pk=publication.pk).update(
        state=Publication.State.PUBLISHED, published_at=moment, approved_at=moment
    )
    publication.refresh_from_db()
    return publication


def topic(name: str) -> Tag:
    return Tag.objects.named([name])[name]


def mail() -> int:
    """Let everything go to subscribers that is due; how many deliveries were sent."""
    begin()
    return sending.work()


def states() -> list[str]:
    """What became of all deliveries, in their order."""
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def later() -> None:
    """As if every pause and every deadline had passed."""
    past = timezone.now() - timedelta(seconds=1)
    Delivery.objects.filter(not_before__gt=past).update(not_before=past)
    Delivery.objects.exclude(claimed_until=None).update(claimed_until=past)
