"""The sandbox in a browser: posts arrive by themselves, and no one loses their place in what they are reading."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from publishing import delivery
from publishing.approval import approve
from publishing.models import Channel
from tests.factories import ArticleFactory, ChannelFactory, PublicationFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.either_database]


@pytest.fixture
def channel() -> Channel:
    made: Channel = ChannelFactory.create(slug="news", name="Новости")
    return made


def post(channel: Channel, title: str) -> None:
    publication = PublicationFactory.create(channel=channel, article=ArticleFactory.create(title=title))
    approve(publication.pk, by=None)
    delivery.deliver(channel.pk)


def test_the_first_post_takes_the_place_of_the_empty_page(
    page: Page, live_server: LiveServer, channel: Channel
) -> None:
    page.goto(f"{live_server.url}/sandbox/news/")
    expect(page.locator(".empty")).to_be_visible()

    post(channel, "Первая новость")

    expect(page.locator(".post b")).to_have_text("Первая новость")
    expect(page.locator(".empty")).to_have_count(0)


def test_posts_of_one_day_share_its_heading(page: Page, live_server: LiveServer, channel: Channel) -> None:
    post(channel, "Первая новость")
    page.goto(f"{live_server.url}/sandbox/news/")

    post(channel, "Вторая новость")

    expect(page.locator(".post")).to_have_count(2)
    expect(page.locator(".day")).to_have_count(1)


def test_who_reads_older_posts_stays_there_and_is_shown_the_way_down(
    page: Page, live_server: LiveServer, channel: Channel
) -> None:
    for number in range(12):
        post(channel, f"Новость {number}")
    page.goto(f"{live_server.url}/sandbox/news/")
    page.evaluate("document.scrollingElement.scrollTo({top: 0, behavior: 'instant'})")

    post(channel, "Новейшая")

    expect(page.locator(".post")).to_have_count(13)
    expect(page.locator("#down")).to_be_visible()
    assert page.evaluate("scrollY") == 0
    page.locator("#down").click()
    expect(page.locator(".post").last).to_be_in_viewport()
