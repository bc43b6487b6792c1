"""How articles come into the queue, and what the queue says about each publication."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone, translation
from pytest_django import DjangoAssertNumQueries, Settings

from articles.models import Article
from publishing.approval import approve, reject
from publishing.models import Bot, Channel, Message, Publication
from publishing.queueing import Explanation, explain, queue_ready
from tests.factories import ArticleFactory, ChannelFactory, PublicationFactory, SourceFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2046, 11, 22, 12, 0, tzinfo=ZoneInfo("Europe/Moscow"))


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield


def offered(**channel: object) -> tuple[Article, Channel]:
    source = SourceFactory.create()
    target = ChannelFactory.create(**channel)
    target.sources.add(source)
    return ArticleFactory.create(source=source, offered_at=timezone.now()), target


def approved(**channel: object) -> Publication:
    publication = PublicationFactory.create(channel=ChannelFactory.create(**channel))
    return approve(publication.pk, by=None)


def explained(publication: Publication, now: datetime | None = None) -> Explanation:
    return explain(Publication.objects.for_queue().get(pk=publication.pk), now)


# --- queueing -------------------------------------------------------------------------------------------------------


def test_an_offered_article_waits_on_each_channel_of_its_source() -> None:
    article, channel = offered()
    other = ChannelFactory.create()
    other.sources.add(article.source)

    made = queue_ready()

    assert made == 2
    assert set(Publication.objects.values_list("channel", "state", "text")) == {
        (channel.pk, "pending", article.summary_text),
        (other.pk, "pending", article.summary_text),
    }


def test_an_article_is_queued_once() -> None:
    article, _channel = offered()
    queue_ready()
    Article.objects.filter(pk=article.pk).update(offered_at=timezone.now())

    made = queue_ready()

    assert made == 0
    assert not Article.objects.ready_to_publish().exists()


def test_an_article_without_a_channel_is_no_longer_offered() -> None:
    ArticleFactory.create(offered_at=timezone.now())

    assert queue_ready() == 0
    assert not Article.objects.ready_to_publish().exists()


def test_a_channel_may_approve_by_itself() -> None:
    offered(auto_approve=Channel.AutoApprove.ALWAYS)

    queue_ready()

    publication = Publication.objects.get()
    assert (publication.state, publication.approved_by) == (Publication.State.APPROVED, None)
    assert Message.objects.count() == 1


def test_what_a_channel_cannot_approve_by_itself_waits_for_an_editor() -> None:
    article, _channel = offered(auto_approve=Channel.AutoApprove.ALWAYS)
    Article.objects.filter(pk=article.pk).update(title="\u200b", summary_text="")

    queue_ready()

    publication = Publication.objects.get()
    assert publication.state == Publication.State.PENDING
    assert "nothing to send" in publication.last_error


@pytest.mark.django_db(transaction=True)
def test_processes_that_queue_at_once_make_one_publication_each() -> None:
    source, channel = SourceFactory.create(), ChannelFactory.create()
    channel.sources.add(source)
    ArticleFactory.create_batch(10, source=source, offered_at=timezone.now())
    made: list[int] = []

    def queue() -> None:
        made.append(queue_ready())
        connection.close()

    threads = [threading.Thread(target=queue) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(made) == Publication.objects.count() == 10


# --- explaining -----------------------------------------------------------------------------------------------------


def test_what_no_editor_has_decided_awaits_approval() -> None:
    explanation = explained(PublicationFactory.create())

    assert (explanation.label, explanation.tone, explanation.due_at) == ("awaits approval", "warning", None)


def test_a_rejection_gives_its_reason() -> None:
    publication = PublicationFactory.create()
    reject(publication.pk, by=None, reason="дубль")

    assert explained(publication).detail == "дубль"


def test_the_next_in_line_is_due_now() -> None:
    publication, now = approved(), timezone.now()

    explanation = explained(publication, now)

    assert (explanation.label, explanation.detail) == ("approved", "It is next in line.")
    assert explanation.due_at == now


def test_who_comes_later_sees_how_many_go_before_and_when_it_is_due() -> None:
    first = approved(seconds_between_posts=60)
    second = approve(PublicationFactory.create(channel=first.channel).pk, by=None)
    now = timezone.now()

    explanation = explained(second, now)

    assert explanation.detail == "1 publication goes before it."
    assert explanation.due_at == now + timedelta(seconds=60)


def test_a_greater_priority_goes_first() -> None:
    first = approved()
    breaking = approve(PublicationFactory.create(channel=first.channel, priority=5).pk, by=None)

    assert explained(breaking).detail == "It is next in line."
    assert explained(first).detail == "1 publication goes before it."


def test_a_schedule_is_told_in_the_channels_time_zone() -> None:
    publication = PublicationFactory.create(channel=ChannelFactory.create(time_zone="Asia/Vladivostok"))
    moment = (timezone.now() + timedelta(days=3)).replace(hour=1, minute=30, second=0, microsecond=0)
    approve(publication.pk, by=None, scheduled_for=moment)

    explanation = explained(publication)

    assert explanation.label == "scheduled"
    assert explanation.detail.endswith(", 11:30")
    assert explanation.due_at == moment


def test_quiet_hours_tell_when_they_end() -> None:
    publication = approved(quiet_from=time(11), quiet_until=time(13, 30))

    explanation = explained(publication, NOON)

    assert (explanation.label, explanation.detail) == ("quiet hours", "until 13:30")


def test_a_paused_channel_gives_its_reason() -> None:
    explanation = explained(approved(is_paused=True, pause_reason="Ремонт"))

    assert (explanation.label, explanation.detail) == ("channel paused", "Ремонт")


def test_a_missing_token_names_the_variable_to_set(settings: Settings) -> None:
    settings.TELEGRAM_TOKENS = {}

    explanation = explained(approved(kind=Channel.Kind.TELEGRAM, token_env="TELEGRAM_NEWS_TOKEN"))

    assert explanation.label == "no bot token"
    assert "TELEGRAM_NEWS_TOKEN" in explanation.detail


@pytest.mark.parametrize(
    ("state", "label", "tone"),
    [
        (Message.State.SENDING, "being sent", "info"),
        (Message.State.UNKNOWN, "unknown whether it was sent", "danger"),
        (Message.State.NEEDS_PERSON, "unknown whether it was sent", "danger"),
        (Message.State.DEAD, "refused", "danger"),
    ],
)
def test_a_message_on_its_way_says_where_it_is(state: str, label: str, tone: str) -> None:
    publication = approved()
    publication.messages.update(state=state, last_error="Ответа нет.")

    explanation = explained(publication)

    assert (explanation.label, explanation.tone) == (label, tone)


def test_a_failure_that_will_be_tried_again_says_when() -> None:
    publication, later = approved(), timezone.now() + timedelta(minutes=1)
    publication.messages.update(last_error="Telegram не отвечает.", not_before=later)

    explanation = explained(publication)

    assert (explanation.label, explanation.detail) == ("will be tried again", "Telegram не отвечает.")
    assert explanation.due_at == later


def test_a_page_of_the_queue_is_explained_without_further_queries(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(3):
        approved()
    page = list(Publication.objects.for_queue())

    with django_assert_num_queries(0):
        labels = {explain(publication).label for publication in page}

    assert labels == {"approved"}


def test_what_stands_behind_an_unknown_post_says_so() -> None:
    channel = ChannelFactory.create()
    lost, later = (approve(PublicationFactory.create(channel=channel).pk, by=None) for _ in range(2))
    Message.objects.filter(publication=lost).update(state=Message.State.NEEDS_PERSON)

    label = explain(later).label

    assert label == "waits for a decision"


def test_a_stopped_bot_is_named_as_the_reason(settings: Settings) -> None:
    settings.TELEGRAM_TOKENS = {"TELEGRAM_BOT_TOKEN": "1:a"}
    channel = ChannelFactory.create(kind=Channel.Kind.TELEGRAM)
    Bot.objects.create(token_env="TELEGRAM_BOT_TOKEN", is_paused=True)
    publication = approve(PublicationFactory.create(channel=channel).pk, by=None)

    assert explain(publication).label == "the bot stands still"
