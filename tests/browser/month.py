"""A month of a newsroom, so that pictures of its figures have something to show."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone

from articles.duplicates import deciding
from articles.models import ArchiveDay, Article, Source
from articles.sites.presets import WARANDPEACE
from publishing.models import Channel, Publication
from tests.factories import ArticleFactory, PublicationFactory, SourceFactory, UserFactory
from tests.publishing.newsroom import newsroom, written
from tests.usage.news import NEWS
from usage.models import ApiUsageDaily, ApiUsageEvent, Provider, SessionStatsDaily
from warandpeace.models import Heartbeat

DAYS = 45
# How many articles come in each hour of the day.
BY_HOUR = (1, 0, 0, 0, 1, 1, 2, 4, 6, 7, 6, 5, 6, 7, 6, 5, 5, 4, 4, 3, 2, 2, 1, 1)
PEOPLE = (
    ("anna", "Анна", "Ветрова", "editor"),
    ("boris", "Борис", "Соколов", "publisher"),
    ("daria", "Дарья", "Климова", "editor"),
    ("igor", "Игорь", "Лаптев", "operator"),
    ("olga", "Ольга", "Мельникова", "publisher"),
    ("pavel", "Павел", "Рощин", "viewer"),
)


def live_through() -> dict[str, str]:
    """Make the month; the addresses of the pages that show it, by the names of their pictures."""
    chance = random.Random(12)  # noqa: S311  the same month each time
    now = timezone.localtime()
    channel = newsroom(slug="north", name="Север", time_zone="Europe/Moscow")
    source = channel.sources.get()
    known = {"selectors": WARANDPEACE.selectors, "url": "https://north.example/"}
    Source.objects.filter(pk=source.pk).update(name="Вести Северогавани", last_success_at=now, **known)
    SourceFactory(name="Морской вестник", last_success_at=now - timedelta(minutes=9))
    SourceFactory(name="Городская хроника", consecutive_failures=3, last_error="Сервер ответил 503", is_active=True)
    _archive(source, now, chance)
    _today(source, channel, now)
    _ledger(now, chance)
    _people(now)
    digest = _digest(channel, now)
    return {
        "dashboard": "/admin/",
        "usage": "/admin/usage/apiusagedaily/overview/",
        "story": f"/admin/articles/story/{_story()}/change/",
        "coverage": f"/admin/articles/source/{source.pk}/coverage/",
        "digest": f"/admin/publishing/digest/{digest.pk}/change/",
        "people": "/admin/auth/user/",
    }


def _archive(source: Source, now: datetime, chance: random.Random) -> None:
    """What the archive lists for each day of the year, and most of it stored."""
    made = list[Article]()
    for back in range(2, min(now.timetuple().tm_yday, 320)):
        day, listed = now - timedelta(days=back), chance.randint(4, 9)
        stored = 0 if chance.random() < 0.05 else listed - (chance.random() < 0.12)
        ArchiveDay.objects.create(source=source, day=day.date(), listed=listed, missing=listed - stored)
        made += [
            Article(
                source=source,
                canonical_link=f"https://north.example/{back}/{number}",
                title="Новость",
                published_at=day.replace(hour=9 + number),
            )
            for number in range(stored)
        ]
    Article.objects.bulk_create(made)


def _today(source: Source, channel: Channel, now: datetime) -> None:
    """The day so far: articles in each hour, a third of them out some minutes later."""
    for hour in range(now.hour):
        at = now.replace(hour=hour, minute=12, second=0, microsecond=0)
        for article in ArticleFactory.create_batch(BY_HOUR[hour], source=source, published_at=at):
            if article.pk % 3 == 0:
                out = at + timedelta(minutes=20)
                PublicationFactory(
                    channel=channel,
                    article=article,
                    state=Publication.State.PUBLISHED,
                    published_at=out,
                    approved_at=out,
                )
    for name in ("sweeper", "worker", "beat"):
        Heartbeat.beat(name)


def _ledger(now: datetime, chance: random.Random) -> None:
    """Calls and their cost, by day, of two providers."""
    Provider.objects.create(name="mistral", base_url="https://llm.example/v1", model="small", daily_budget=5)
    for back in range(DAYS):
        day = (now - timedelta(days=back)).date()
        for name, model, price in (("mistral", "small", "0.0031"), ("gemini", "flash", "0.0012")):
            requests = chance.randint(60, 140)
            totals: dict[str, Any] = {"tokens_in": requests * 900, "cost_usd": requests * Decimal(price)}
            ApiUsageDaily.add(day, name, model, requests=requests, successes=requests - chance.randint(0, 3), **totals)
            call = {"state": "succeeded", "provider": name, "model": model, "started_at": now - timedelta(days=back)}
            ApiUsageEvent.objects.create(purpose=chance.choice(["summary", "digest"]), **call, **totals)
        SessionStatsDaily.objects.get_or_create(day=day)


def _people(now: datetime) -> None:
    for number, (login, first, last, role) in enumerate(PEOPLE):
        user = UserFactory(
            username=login, first_name=first, last_name=last, last_login=now - timedelta(hours=7 * number)
        )
        user.groups.add(Group.objects.get(name=role))


def _story() -> int:
    """The same news by two sources."""
    one = NEWS[0]
    other = one.text.replace("сообщила", "рассказала").replace("12", "13") + " Подробности уточняются."
    main = ArticleFactory(title=one.title, content=one.text, source__name="Вести")
    copy = ArticleFactory(title=one.title, content=other, source__name="Хроника")
    return deciding.merge(main.pk, [copy.pk], by=None).pk


def _digest(channel: Channel, now: datetime) -> Any:
    yesterday = (now - timedelta(days=1)).replace(hour=12)
    for number, one in enumerate(NEWS[:5]):
        summary = ". ".join(one.text.split(". ")[:2]) + "."
        at = yesterday + timedelta(minutes=40 * number)
        ArticleFactory(
            source=channel.sources.get(), title=one.title, content=one.text, summary_text=summary, published_at=at
        )
    return written(channel)
