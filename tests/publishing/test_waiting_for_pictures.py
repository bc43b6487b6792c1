"""Articles on their way to a channel with photos: what waits for a picture, for how long, and what never does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from articles.models import Article, Picture
from articles.tasks import fetch_picture
from publishing import delivery, waiting
from publishing.models import Channel, Publication, SandboxPost
from publishing.queueing import PICTURE, queue_on, queue_ready
from publishing.tasks import look_again
from tests.factories import ArticleFactory, ChannelFactory
from tests.fakes.feed_server import FeedServer
from tests.pictures import png

pytestmark = pytest.mark.django_db


def offered(*, with_photos: bool = True, auto_approve: str = Channel.AutoApprove.NEVER, image_url: str = "") -> Article:
    """An article that is offered to one channel."""
    article: Article = ArticleFactory.create(offered_at=timezone.now(), image_url=image_url)
    channel = ChannelFactory.create(with_photos=with_photos, auto_approve=auto_approve)
    channel.sources.add(article.source)
    return article


def test_a_channel_without_photos_asks_for_none() -> None:
    offered(with_photos=False)

    assert queue_ready() == 1
    assert not Picture.objects.exists()


def test_an_article_is_queued_once_its_picture_has_come() -> None:
    with FeedServer() as server:
        article = offered(image_url=server.serve("/a.png", png(400, 200)))
        before = queue_ready()

        fetch_picture(Picture.objects.get(article=article).pk)

        assert (before, queue_ready()) == (0, 1)


def test_a_channel_that_approves_by_itself_posts_with_the_picture() -> None:
    with FeedServer() as server:
        article = offered(auto_approve=Channel.AutoApprove.ALWAYS, image_url=server.serve("/a.png", png(400, 200)))
        queue_ready()
        fetch_picture(Picture.objects.get(article=article).pk)
        queue_ready()

    delivery.deliver(Channel.objects.get().pk)

    assert SandboxPost.objects.get().payload["kind"] == "photo"


def test_a_picture_that_is_of_no_use_is_not_waited_for() -> None:
    article = offered()
    Picture.objects.create(article=article, status=Picture.Status.NONE)

    assert queue_ready() == 1


def test_nothing_is_waited_for_longer_than_a_few_minutes() -> None:
    offered()
    waited = queue_ready()
    Picture.objects.update(created_at=timezone.now() - timedelta(minutes=6))

    assert (waited, queue_ready()) == (0, 1)


def by_hand(**of_channel: Any) -> Publication:
    article = offered(**of_channel)
    queue_on(Channel.objects.get(), [article])
    return Publication.objects.get()


def test_what_is_queued_by_hand_is_held_for_its_picture() -> None:
    publication = by_hand()

    assert (publication.state, publication.reason) == ("held", PICTURE)
    assert waiting.release_illustrated() == 0


@pytest.mark.parametrize(("auto_approve", "state"), [("never", "pending"), ("always", "approved")])
def test_it_goes_on_when_its_picture_is_known(auto_approve: str, state: str) -> None:
    publication = by_hand(auto_approve=auto_approve)
    Picture.objects.update(status=Picture.Status.NONE)

    assert waiting.release_illustrated() == 1

    publication.refresh_from_db()
    assert (publication.state, publication.reason) == (state, "")


def test_it_is_held_no_longer_than_a_few_minutes() -> None:
    publication = by_hand()
    Picture.objects.update(created_at=timezone.now() - timedelta(minutes=6))

    look_again()

    publication.refresh_from_db()
    assert publication.state == "pending"
