from __future__ import annotations

import re
from datetime import timedelta

import feedparser
import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from articles.models import Source
from publishing.models import Channel
from tests.factories import ArticleFactory, UserFactory
from warandpeace.demo import content, news
from warandpeace.models import Milestone

BASE = "http://127.0.0.1:8000"


def test_there_is_enough_to_read():
    items = news.items()

    assert len(items) == 24
    assert len({item.slug for item in items}) == 24
    assert {item.language for item in items} == {"ru", "en"}
    assert all(6 <= len(re.findall(r"[.!?](?:\s|$)", " ".join(item.paragraphs))) <= 12 for item in items)


def test_half_is_there_at_the_start_and_the_rest_follows_one_by_one():
    start = timezone.now()

    assert len(news.visible(start, start)) == 12
    assert len(news.visible(start, start + timedelta(seconds=91))) == 13
    assert len(news.visible(start, start + timedelta(hours=1))) == 24


def test_the_newest_piece_comes_first():
    start = timezone.now()

    ages = [item.appears_after for item in news.visible(start, start)]

    assert ages == sorted(ages, reverse=True)


@pytest.fixture
def demo(db):
    content.create_demo(BASE)


def test_the_feed_is_one_that_a_reader_understands(client, demo):
    response = client.get("/demo/feed.xml")

    feed = feedparser.parse(response.content)
    assert not feed.bozo
    assert len(feed.entries) == 12
    assert all(entry.content[0].value.startswith("<p>") and entry.published_parsed for entry in feed.entries)


def test_an_unchanged_feed_is_not_sent_twice(client, demo):
    etag = client.get("/demo/feed.xml")["ETag"]

    response = client.get("/demo/feed.xml", headers={"If-None-Match": etag})

    assert response.status_code == 304


def test_every_entry_leads_to_its_page(client, demo):
    feed = feedparser.parse(client.get("/demo/feed.xml").content)

    pages = [client.get(entry.link) for entry in feed.entries]

    assert {page.status_code for page in pages} == {200}
    assert feed.entries[0].title in pages[0].content.decode()


def test_a_piece_that_has_not_appeared_has_no_page(client, demo):
    unseen = news.items()[-1]

    assert client.get(f"/demo/news/{unseen.slug}/").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/demo/feed.xml", "/demo/news/port-ugol/"])
def test_without_the_demo_its_pages_do_not_exist(client, address):
    assert client.get(address).status_code == 404


def test_with_its_source_the_demos_pages_go(client, demo):
    Source.objects.all().delete()

    assert client.get("/demo/feed.xml").status_code == 404


@pytest.mark.django_db
def test_the_demo_is_made_once():
    assert content.create_demo(BASE)
    Source.objects.all().delete()

    assert not content.create_demo(BASE)
    assert not Source.objects.exists()


@pytest.mark.django_db
def test_the_demo_feeds_the_sandbox(demo):
    channel = Channel.objects.get(slug="sandbox")

    assert channel.kind == Channel.Kind.SANDBOX
    assert [source.slug for source in channel.sources.all()] == ["demo"]


@pytest.mark.django_db
def test_the_first_real_source_and_channel_are_switched_off():
    content.create_first_sources()

    source = Source.objects.get(slug="warandpeace")
    channel = source.channels.get()
    assert (source.is_active, source.encoding, source.time_zone) == (False, "windows-1251", "Europe/Moscow")
    assert channel.is_paused
    assert "TELEGRAM_BOT_TOKEN" in channel.pause_reason


@pytest.mark.django_db
def test_the_telegram_channel_is_filled_from_the_environment(settings):
    settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_CHANNEL_ID = "1:a", "@invented_news"

    content.create_first_sources()

    channel = Channel.objects.get(kind=Channel.Kind.TELEGRAM)
    assert channel.chat_id == "@invented_news"
    assert channel.is_paused
    assert "TELEGRAM_BOT_TOKEN" not in channel.pause_reason


@pytest.mark.django_db
@pytest.mark.either_database
def test_the_telegram_channel_is_filled_in_when_the_environment_names_it_later(settings):
    content.create_first_sources()
    settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_CHANNEL_ID = "1:a", "@invented_news"

    content.fill_in_first_channel()

    channel = Channel.objects.get(kind=Channel.Kind.TELEGRAM)
    assert (channel.chat_id, channel.is_paused) == ("@invented_news", True)
    assert "TELEGRAM_BOT_TOKEN" not in channel.pause_reason


@pytest.mark.django_db
@pytest.mark.either_database
def test_a_chat_that_was_typed_in_is_not_missing_and_a_start_without_news_leaves_no_trace(settings):
    content.create_first_sources()
    Channel.objects.filter(kind=Channel.Kind.TELEGRAM).update(chat_id="@typed")
    channel = Channel.objects.get(kind=Channel.Kind.TELEGRAM)
    known = channel.history.count()

    for token in ("", "", "1:a"):
        settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_CHANNEL_ID = token, "@invented_news"
        content.fill_in_first_channel()

    channel.refresh_from_db()
    assert (channel.chat_id, "TELEGRAM_" in channel.pause_reason) == ("@typed", False)
    assert channel.history.count() == known + 2  # what is missing, then that nothing is


@pytest.mark.django_db
@pytest.mark.either_database
def test_a_channel_that_somebody_set_up_is_left_alone(settings):
    content.create_first_sources()
    Channel.objects.filter(kind=Channel.Kind.TELEGRAM).update(chat_id="@typed", pause_reason="by admin")
    settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_CHANNEL_ID = "1:a", "@invented_news"

    content.fill_in_first_channel()

    channel = Channel.objects.get(kind=Channel.Kind.TELEGRAM)
    assert (channel.chat_id, channel.pause_reason) == ("@typed", "by admin")


@pytest.mark.django_db
def test_the_first_login_has_a_random_password():
    password = content.create_admin()

    admin = get_user_model().objects.get(username="admin")
    assert admin.is_superuser
    assert password is not None
    assert admin.check_password(password)


@pytest.mark.django_db
def test_an_installation_that_has_people_gets_no_other_login():
    UserFactory()

    assert content.create_admin() is None
    assert get_user_model().objects.count() == 1


@pytest.mark.django_db
def test_a_deleted_login_does_not_come_back():
    content.create_admin()
    get_user_model().objects.all().delete()

    assert content.create_admin() is None


def test_articles_follow_the_demo_to_another_port(demo):
    source = Source.objects.get(slug="demo")
    article = ArticleFactory(source=source, canonical_link=f"{BASE}/demo/news/port-ugol/")

    content.follow_address("http://127.0.0.1:9000")

    article.refresh_from_db()
    source.refresh_from_db()
    assert article.canonical_link == article.url == "http://127.0.0.1:9000/demo/news/port-ugol/"
    assert source.url == "http://127.0.0.1:9000/demo/feed.xml"


def test_a_demo_source_that_was_pointed_elsewhere_stays_there(demo):
    Source.objects.update(url="https://news.example/feed.xml")

    content.follow_address("http://127.0.0.1:9000")

    assert Source.objects.get(slug="demo").url == "https://news.example/feed.xml"


@pytest.mark.django_db
def test_a_milestone_is_reached_once():
    assert Milestone.reach("demo")
    assert not Milestone.reach("demo")
