"""A copy of what a channel has already is held, says so, and goes out only if somebody releases it."""

from __future__ import annotations

import pytest
from django.utils import timezone

from articles.duplicates.placing import place
from articles.models import Article
from publishing import approval
from publishing.models import Channel, Publication
from publishing.queueing import DUPLICATE, explain, queue_on, queue_ready
from publishing.tasks import look_again
from publishing.waiting import hold_copies
from tests.articles.invented_news import revised, text
from tests.factories import ArticleFactory, ChannelFactory, PublicationFactory, SourceFactory, UserFactory
from tests.people import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def channel() -> Channel:
    made: Channel = ChannelFactory(auto_approve=Channel.AutoApprove.ALWAYS)
    return made


def offered(content: str, channel: Channel) -> Article:
    source = SourceFactory()
    channel.sources.add(source)
    article: Article = ArticleFactory(source=source, content=content, offered_at=timezone.now())
    place([article.pk])
    article.refresh_from_db()
    return article


def of(article: Article) -> Publication:
    return Publication.objects.for_queue().get(article=article)


def test_a_copy_of_what_is_published_is_held(channel: Channel) -> None:
    first = offered(text(1), channel)
    queue_ready()
    Publication.objects.update(state=Publication.State.PUBLISHED)
    copy = offered(revised(text(1)), channel)

    queue_ready()

    assert (of(copy).state, of(copy).reason) == ("held", DUPLICATE)
    assert of(first).state == "published"
    assert not of(copy).messages.exists()


def test_of_copies_that_come_at_once_one_goes_out(channel: Channel) -> None:
    copies = [offered(revised(text(1), seed=seed), channel) for seed in range(3)]

    queue_ready()

    assert [of(copy).state for copy in copies] == ["approved", "held", "held"]


def test_a_copy_put_into_the_queue_by_hand_is_held_too(channel: Channel) -> None:
    offered(text(1), channel)
    queue_ready()

    queue_on(channel, [offered(text(1), ChannelFactory())])

    assert Publication.objects.filter(state="held", reason=DUPLICATE).count() == 1


@pytest.mark.parametrize("state", ["rejected", "failed", "deleted"])
def test_what_was_turned_down_holds_nothing(state: str, channel: Channel) -> None:
    PublicationFactory(article=offered(text(1), ChannelFactory()), channel=channel, state=state)

    copy = offered(text(1), channel)
    queue_ready()

    assert of(copy).state == "approved"


def test_another_channel_takes_the_copy(channel: Channel) -> None:
    offered(text(1), ChannelFactory())
    copy = offered(text(1), channel)

    queue_ready()

    assert of(copy).state == "approved"


def test_an_editor_releases_a_copy(channel: Channel) -> None:
    offered(text(1), channel)
    copy = offered(text(1), channel)
    queue_ready()

    approval.withdraw(of(copy).pk, by=UserFactory())

    assert (of(copy).state, of(copy).reason) == ("pending", "")
    assert approval.approve(of(copy).pk, by=UserFactory()).state == "approved"


def test_the_queue_says_why_and_leads_to_the_story_and_to_the_other(channel: Channel) -> None:
    first = offered(text(1), channel)
    copy = offered(text(1), channel)
    queue_ready()
    copy.refresh_from_db()

    listed = signed_in("editor").get("/admin/publishing/pendingpublication/?stage=held").content.decode()

    assert explain(of(copy)).story == copy.story_id
    assert f'href="/admin/articles/story/{copy.story_id}/change/"' in listed
    assert f'href="/admin/publishing/publication/{of(first).pk}/change/"' in listed
    assert f"«{first.title}»" in listed


# --- what becomes a copy while it waits -------------------------------------------------------------------------------


@pytest.fixture
def slow_channel() -> Channel:
    """Its editors decide themselves."""
    made: Channel = ChannelFactory()
    return made


def two_that_wait(channel: Channel) -> list[Article]:
    """An article and its copy, both in the queue before anybody knows that."""
    articles = [offered(text(1), channel), offered(text(2), channel)]
    queue_ready()
    Article.objects.filter(pk=articles[1].pk).update(content=revised(text(1)))
    place([articles[1].pk])
    return articles


def test_what_becomes_a_copy_while_it_waits_is_held(slow_channel: Channel) -> None:
    first, copy = two_that_wait(slow_channel)

    look_again()

    assert [of(first).state, of(copy).state] == ["pending", "held"]
    assert of(copy).reason == DUPLICATE


def test_what_an_editor_has_touched_is_left_to_the_editor(slow_channel: Channel) -> None:
    _first, copy = two_that_wait(slow_channel)
    approval.edit(of(copy).pk, by=UserFactory(), revision=1, title="Другой заголовок", text="Другие слова.")

    assert hold_copies() == 0


def test_a_copy_that_was_released_is_not_held_again(slow_channel: Channel) -> None:
    _first, copy = two_that_wait(slow_channel)
    hold_copies()

    approval.withdraw(of(copy).pk, by=UserFactory())

    assert (hold_copies(), of(copy).state) == (0, "pending")


def test_the_main_article_is_held_where_its_copy_is_out(slow_channel: Channel) -> None:
    first, copy = two_that_wait(slow_channel)
    Publication.objects.filter(article=copy).update(state="published")

    hold_copies()

    assert of(first).state == "held"
