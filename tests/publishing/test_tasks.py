"""The doorbells: what each one does, and what the sweeper rings for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from publishing import claims, tasks
from publishing.approval import approve
from publishing.models import Channel, Message, Publication, SandboxPost
from tests.factories import ArticleFactory, ChannelFactory, PublicationFactory, UserFactory
from tests.fakes.bot_api import bot_api

pytestmark = pytest.mark.django_db


def offered(channel: Channel) -> None:
    article = ArticleFactory.create(offered_at=timezone.now())
    channel.sources.add(article.source)


def test_a_channel_is_delivered() -> None:
    publication = approve(PublicationFactory.create().pk, by=None)

    tasks.deliver_channel.delay(publication.channel_id)

    assert SandboxPost.objects.count() == 1


def test_the_sweeper_takes_articles_all_the_way_to_a_channel_that_approves_by_itself() -> None:
    offered(ChannelFactory.create(auto_approve=Channel.AutoApprove.ALWAYS))

    tasks.ring_due()

    assert SandboxPost.objects.count() == 1


def test_a_channel_that_opens_in_a_moment_is_worth_the_moment() -> None:
    publication = approve(PublicationFactory.create().pk, by=None)
    Channel.objects.update(next_post_at=timezone.now() + timedelta(seconds=0.3))

    tasks.ring_due()

    publication.refresh_from_db()
    assert publication.state == Publication.State.PUBLISHED


def test_the_sweeper_leaves_what_an_editor_must_decide() -> None:
    offered(ChannelFactory.create())

    tasks.ring_due()

    assert Publication.objects.get().state == Publication.State.PENDING


def test_the_sweeper_finds_what_a_lost_doorbell_left() -> None:
    approve(PublicationFactory.create().pk, by=None)

    tasks.ring_due()

    assert SandboxPost.objects.count() == 1


def test_the_sweeper_finds_what_a_dead_sender_left() -> None:
    publication = approve(PublicationFactory.create().pk, by=None)
    claims.claim(publication.channel_id)
    Message.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))

    tasks.ring_due()

    assert SandboxPost.objects.count() == 1


def test_an_article_goes_to_telegram_when_an_editor_has_approved_it(settings: Settings) -> None:
    offered(ChannelFactory.create(kind=Channel.Kind.TELEGRAM, chat_id="@news", language="en"))
    with bot_api() as api:
        settings.TELEGRAM_API_BASE_URL = api.url
        settings.TELEGRAM_TOKENS = {"TELEGRAM_BOT_TOKEN": "123456:canary"}
        tasks.ring_due()
        publication = Publication.objects.get()
        approve(publication.pk, by=UserFactory.create())
        tasks.ring_due()

    publication.refresh_from_db()
    assert publication.state == Publication.State.PUBLISHED
    assert [(post["chat_id"], post["text"]) for post in api.ledger] == [
        ("@news", f"{publication.title}\n\n{publication.text}\n\nSource · @warandpeace")
    ]


def test_a_sweep_that_finds_nothing_asks_each_of_its_twenty_six_questions_once(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    PublicationFactory.create()

    with django_assert_max_num_queries(26):
        tasks.ring_due()
