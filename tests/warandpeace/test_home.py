from __future__ import annotations

import pytest
from django.contrib.staticfiles import finders
from django.templatetags.static import static

from publishing.models import Channel
from tests.factories import ChannelFactory, PublicationFactory

pytestmark = pytest.mark.django_db


def test_it_leads_to_the_newsroom_and_to_every_sandbox(client):
    ChannelFactory(slug="first", name="Первая песочница")
    ChannelFactory(slug="news", kind=Channel.Kind.TELEGRAM, name="Настоящий канал")

    page = client.get("/").content.decode()

    assert 'href="/admin/"' in page
    assert 'href="/sandbox/first/"' in page
    assert "Настоящий канал" not in page


def test_it_says_how_much_waits(client):
    PublicationFactory.create_batch(3)

    page = client.get("/").content.decode()

    assert "<strong>3</strong>" in page


def test_it_speaks_both_languages(client):
    client.post("/i18n/setlang/", {"language": "en", "next": "/"})

    assert "Open the newsroom" in client.get("/").content.decode()


def test_browsers_find_the_icon_where_they_look_for_it_by_themselves(client):
    answer = client.get("/favicon.ico")

    assert answer["Location"] == static("warandpeace/logo.svg")
    assert finders.find("warandpeace/logo.svg")


def test_it_needs_no_inline_script_or_style(client):
    page = client.get("/").content.decode()

    assert "<script" not in page
    assert "style=" not in page


def test_figures_are_counted_once_in_a_while(client, django_assert_num_queries):
    client.get("/")

    with django_assert_num_queries(0):
        client.get("/")
