"""The sandbox page: what it shows, in which order, and how one gets to older and newer posts."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from publishing import delivery
from publishing.approval import approve
from publishing.models import Channel, SandboxPost
from publishing.views import PAGE
from tests.factories import ArticleFactory, ChannelFactory, PictureFactory, PublicationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def channel() -> Channel:
    made: Channel = ChannelFactory.create(slug="news", name="Война и мир")
    return made


def post(channel: Channel, title: str) -> SandboxPost:
    article = ArticleFactory.create(title=title, url="https://www.news.example/1", lead="Лид новости.")
    publication = PublicationFactory.create(channel=channel, article=article)
    approve(publication.pk, by=None)
    delivery.deliver(channel.pk)
    return SandboxPost.objects.get(message__publication=publication)


def shown(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'data-number="(\d+)"', page)]


def test_posts_stand_below_each_other_the_newest_last(channel: Channel, client: Client) -> None:
    posts = [post(channel, "Первая"), post(channel, "Вторая")]

    page = client.get("/sandbox/news/").content.decode()

    assert shown(page) == [one.pk for one in posts]
    assert "<b>Первая</b>" in page


def test_a_post_shows_where_its_link_leads(channel: Channel, client: Client) -> None:
    post(channel, "Новость")

    page = client.get("/sandbox/news/").content.decode()

    assert '<span class="host">news.example</span>' in page
    assert "<strong>Новость</strong>" in page
    assert "Лид новости." in page


def test_a_post_is_shown_as_text(channel: Channel, client: Client) -> None:
    post(channel, "<script>alert(1)</script>")

    page = client.get("/sandbox/news/").content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_times_are_those_of_the_channel(channel: Channel, client: Client) -> None:
    Channel.objects.update(time_zone="Asia/Vladivostok")
    one = post(channel, "Новость")
    SandboxPost.objects.filter(pk=one.pk).update(posted_at="2026-11-22T20:30:00Z")

    page = client.get("/sandbox/news/").content.decode()

    assert ">06:30</time>" in page
    assert 'data-day="2026-11-23"' in page


def test_one_day_is_named_once(channel: Channel, client: Client) -> None:
    post(channel, "Первая")
    post(channel, "Вторая")
    SandboxPost.objects.update(posted_at=timezone.now())

    page = client.get("/sandbox/news/").content.decode()

    assert page.count('class="day"') == 1


def test_an_empty_channel_says_what_will_fill_it(channel: Channel, client: Client) -> None:
    client.cookies["django_language"] = "en"

    page = client.get("/sandbox/news/").content.decode()

    assert "after an editor approves a publication" in page


def test_older_posts_are_one_page_further(channel: Channel, client: Client) -> None:
    posts = [post(channel, f"Новость {number}") for number in range(PAGE + 2)]

    newest = client.get("/sandbox/news/").content.decode()
    older = client.get(f"/sandbox/news/?before={posts[2].pk}").content.decode()

    assert f"?before={posts[2].pk}" in newest
    assert shown(newest) == [one.pk for one in posts[2:]]
    assert shown(older) == [one.pk for one in posts[:2]]


def test_new_posts_come_as_a_piece_of_the_page(channel: Channel, client: Client) -> None:
    first, second = post(channel, "Первая"), post(channel, "Вторая")

    piece = client.get(f"/sandbox/news/posts/?after={first.pk}")
    nothing = client.get(f"/sandbox/news/posts/?after={second.pk}")

    assert shown(piece.content.decode()) == [second.pk]
    assert nothing.status_code == 204


@pytest.mark.parametrize(
    "path", ["/sandbox/nope/", "/sandbox/telegram/", "/sandbox/news/?before=x", "/sandbox/news/posts/?after=-1"]
)
def test_what_is_no_sandbox_and_no_number_is_not_found(channel: Channel, client: Client, path: str) -> None:
    ChannelFactory.create(slug="telegram", kind=Channel.Kind.TELEGRAM)

    assert client.get(path).status_code == 404


def test_the_page_needs_no_query_per_post(
    channel: Channel, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(3):
        post(channel, f"Новость {number}")

    with django_assert_num_queries(2):
        client.get("/sandbox/news/")


def post_with_picture(channel: Channel, title: str) -> SandboxPost:
    Channel.objects.update(with_photos=True)
    article = ArticleFactory.create(title=title)
    PictureFactory.create(article=article)
    publication = PublicationFactory.create(channel=channel, article=article)
    approve(publication.pk, by=None)
    delivery.deliver(channel.pk)
    return SandboxPost.objects.get(message__publication=publication)


def test_a_picture_stands_above_its_text_in_its_own_size(channel: Channel, client: Client) -> None:
    one = post_with_picture(channel, "С картинкой")

    page = client.get("/sandbox/news/").content.decode()

    assert f'<img class="photo" src="/pictures/{one.payload["media"]}/" width="400" height="200" alt="">' in page
    assert 'class="preview"' not in page


def test_pictures_need_one_query_more_for_all_of_them(
    channel: Channel, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    post_with_picture(channel, "Первая")
    post(channel, "Вторая")

    with django_assert_num_queries(3):
        client.get("/sandbox/news/")
