"""A channel with a day's news, and digests of it brought to their end."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from articles.models import Article
from publishing import digests
from publishing.digests import building
from publishing.models import Channel, Digest
from tests.factories import ArticleFactory, ChannelFactory, SourceFactory

NEWS = [
    ("Порт увеличил перевалку угля", "Порт увеличил перевалку угля на 12%. Об этом сообщила пресс-служба порта."),
    ("Завод выпустил тысячный трактор", "Завод выпустил тысячный трактор. Его получит хозяйство в Сибири."),
    ("В городе открыли мост", "В городе открыли мост через реку. Движение по нему начнётся утром."),
]


def yesterday() -> date:
    """Asked for anew by each test: a suite may run over midnight."""
    return timezone.localdate() - timedelta(days=1)


def newsroom(**fields: Any) -> Channel:
    """A channel of one source that has no articles yet."""
    channel: Channel = ChannelFactory.create(**{"time_zone": "Europe/Moscow"} | fields)
    channel.sources.add(SourceFactory.create())
    return channel


def noon(channel: Channel, day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), tzinfo=channel.zone) + timedelta(hours=12)


def news(channel: Channel, day: date | None = None, number: int = len(NEWS), **fields: Any) -> list[Article]:
    """Articles of the channel's source with summaries, published from noon of the day (yesterday) an hour apart."""
    first = noon(channel, day or yesterday())
    return [
        ArticleFactory.create(
            source=channel.sources.get(),
            title=title,
            summary_text=summary,
            published_at=first + timedelta(hours=place),
            **fields,
        )
        for place, (title, summary) in enumerate(NEWS[:number])
    ]


def finished(digest: Digest) -> Digest:
    """The digest after all steps that can be taken now."""
    while building.take_step(digest.pk):
        pass
    digest.refresh_from_db()
    return digest


def written(channel: Channel, kind: str = "daily", day: date | None = None, **options: Any) -> Digest:
    """The digest of the period with that day (yesterday), made to its end."""
    return finished(digests.request(kind, channel, day or yesterday(), **options))
