"""What the pages people live in ask of the database: so many queries, however many rows there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from articles.models import DeadLetter, ForecastNote, Summary
from publishing.approval import approve
from publishing.models import Channel, Delivery, Mailing, Subscriber
from tests.factories import ArticleFactory, ChannelFactory, PictureFactory, PublicationFactory, UserFactory
from usage.models import ApiUsageDaily, ApiUsageEvent, ProcessSession

pytestmark = pytest.mark.django_db

MORE = 5


def publications(number: int) -> None:
    for _ in range(number):
        PublicationFactory(channel=Channel.objects.first() or ChannelFactory())


def messages(number: int) -> None:
    for _ in range(number):
        approve(PublicationFactory(channel=Channel.objects.first() or ChannelFactory()).pk, by=None)


def deliveries(number: int) -> None:
    now, known = timezone.now(), Subscriber.objects.count()
    mailing = Mailing.objects.create(kind=Mailing.Kind.NEWS, epoch=1, out_at=now, expires_at=now)
    for place in range(number):
        subscriber = Subscriber.objects.create(telegram_user_id=known + place)
        Delivery.objects.create(mailing=mailing, subscriber=subscriber)


def of_articles(model: Any) -> Callable[[int], None]:
    """Makes rows that hang on articles, each on another."""

    def make(number: int) -> None:
        for article in ArticleFactory.create_batch(number):
            model.objects.create(article=article, version=1)

    return make


def rows(model: Any, **fields: Callable[[int], Any]) -> Callable[[int], None]:
    def make(number: int) -> None:
        known = model.objects.count()
        for place in range(known, known + number):
            model.objects.create(**{name: value(place) for name, value in fields.items()})

    return make


# The pages by their names, with the queries that each needs and what makes more of its rows.
PAGES: dict[str, tuple[int, Callable[[int], Any]]] = {
    "index": (34, publications),
    "articles_article_changelist": (18, ArticleFactory.create_batch),
    "articles_summary_changelist": (13, of_articles(Summary)),
    "articles_forecastnote_changelist": (13, of_articles(ForecastNote)),
    "articles_picture_changelist": (13, PictureFactory.create_batch),
    "articles_deadletter_changelist": (16, rows(DeadLetter, entity_ref="https://news.example/{}".format)),
    "publishing_pendingpublication_changelist": (23, publications),
    "publishing_publication_changelist": (14, publications),
    "publishing_message_changelist": (14, messages),
    "publishing_delivery_changelist": (13, deliveries),
    "publishing_subscriber_changelist": (17, deliveries),
    "usage_apiusageevent_changelist": (13, rows(ApiUsageEvent, provider="mistral-{}".format)),
    "usage_apiusagedaily_changelist": (
        14,
        rows(ApiUsageDaily, provider="mistral-{}".format, day=lambda _: timezone.now()),
    ),
    "usage_processsession_changelist": (
        14,
        rows(ProcessSession, session_id="00000000-0000-4000-8000-{:012}".format, started_at=lambda _: timezone.now()),
    ),
}


@pytest.fixture
def client() -> Client:
    """Somebody who may see everything."""
    signed_in = Client()
    signed_in.force_login(UserFactory(is_superuser=True))
    return signed_in


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_no_more_than_it_may_and_never_more_with_more_rows(client: Client, name: str) -> None:
    most, make = PAGES[name]
    make(1)
    address = reverse(f"admin:{name}")
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    make(MORE)

    with CaptureQueriesContext(connection) as many:
        client.get(address)

    # PostgreSQL is asked for its estimate of the rows, too.
    pinned = most + (connection.vendor == "postgresql")
    assert len(many) <= len(few) <= pinned, [query["sql"][:200] for query in many.captured_queries]
