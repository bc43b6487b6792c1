"""A source whose feed, or site, changes while a test looks on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from articles.models import Source
from tests.fakes.feed_server import FeedServer
from tests.fakes.feeds import Item, rss
from tests.fakes.site_server import MOSCOW, News, news

TWENTIETH = datetime(2024, 5, 20, 12, tzinfo=MOSCOW)


def again(source: Source) -> Source:
    return Source.objects.get(pk=source.pk)


def change(server: FeedServer, source: Source, *changed: Item, **answer: Any) -> Source:
    """The source as it is now, after its feed has changed to these items."""
    server.serve(source.url.removeprefix(server.url("")), rss(changed), **answer)
    return again(source)


def latest(count: int, *, first: int = 1) -> list[News]:
    """So many articles, one every ten minutes, the last one at noon of the twentieth."""
    return [news(first + place, TWENTIETH + timedelta(minutes=10 * (first + place))) for place in range(count)]
