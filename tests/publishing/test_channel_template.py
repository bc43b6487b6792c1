"""The template of a channel in the admin: shown, explained, checked when saved, and tried out while somebody types."""

from __future__ import annotations

from typing import Any

import pytest
from django.forms import model_to_dict
from django.test import Client
from django.urls import reverse

from publishing.models import Channel
from publishing.post_template import standard
from tests.factories import ChannelFactory
from tests.people import signed_in

pytestmark = pytest.mark.django_db

SAMPLE = "/admin/publishing/channel/sample/"


@pytest.fixture
def operator() -> Client:
    client = signed_in("operator")
    client.cookies["django_language"] = "en"
    return client


def page_of(channel: Channel) -> str:
    return reverse("admin:publishing_channel_change", args=[channel.pk])


def form_of(channel: Channel, **changes: Any) -> dict[str, Any]:
    """What the channel's form sends, with changes."""
    values = {name: value for name, value in model_to_dict(channel).items() if value is not None and value is not False}
    return values | {"sources": []} | changes


def test_a_channel_without_one_shows_the_standard_template(operator: Client) -> None:
    page = operator.get(page_of(ChannelFactory.create(language="ru"))).content.decode()

    assert "&lt;b&gt;{title}&lt;/b&gt;" in page
    assert "Источник&lt;/a&gt; · {footer}" in page


def test_the_standard_template_saved_unchanged_stays_the_standard_one(operator: Client) -> None:
    channel = ChannelFactory.create(template="{title}")

    operator.post(page_of(channel), form_of(channel, template=standard("en").replace("\n", "\r\n")))

    channel.refresh_from_db()
    assert channel.template == ""


def test_an_own_template_is_saved(operator: Client) -> None:
    channel = ChannelFactory.create()

    operator.post(page_of(channel), form_of(channel, template="<b>{title}</b>\r\n{text}", with_photos="on"))

    channel.refresh_from_db()
    assert (channel.template, channel.with_photos) == ("<b>{title}</b>\n{text}", True)


def test_a_template_that_cannot_be_read_is_refused_with_a_sentence(operator: Client) -> None:
    channel = ChannelFactory.create()

    page = operator.post(page_of(channel), form_of(channel, template="{title}\n<b>{text}")).content.decode()

    assert "Line 2, character 1: &lt;b&gt; is never closed" in page
    channel.refresh_from_db()
    assert channel.template == ""


def test_a_sample_follows_what_is_typed(operator: Client) -> None:
    typed = {"template": "<i>{title}</i> {tags}\n{footer}", "footer": "@example", "language": "en", "with_photos": "on"}

    piece = operator.post(SAMPLE, typed).content.decode()

    assert '<i>A headline</i> <span class="tg-hashtag">#economy</span>' in piece
    assert '<span class="tg-mention">@example</span>' in piece
    assert "wp-photo-sample" in piece


def test_the_sample_says_what_is_wrong_while_somebody_types(operator: Client) -> None:
    piece = operator.post(SAMPLE, {"template": "{title} {link"}).content.decode()

    assert "Line 1, character 9" in piece
    assert "wp-bubble" not in piece


@pytest.mark.parametrize("language", ["../../etc/passwd", "", "xx"])
def test_the_sample_speaks_only_our_languages(operator: Client, language: str) -> None:
    assert operator.post(SAMPLE, {"template": "{title}", "language": language}).status_code == 200


def test_a_sample_is_no_place_for_strangers(client: Client) -> None:
    assert client.post(SAMPLE, {"template": "{title}"}).status_code == 302
    assert signed_in("").post(SAMPLE, {"template": "{title}"}).status_code in {302, 403}


def test_who_may_only_look_sees_the_sample(operator: Client) -> None:
    page = signed_in("editor").get(page_of(ChannelFactory.create(template="<u>{title}</u>"))).content.decode()

    assert "<u>" in page


@pytest.mark.either_database
def test_a_telegram_channel_without_a_chat_is_not_switched_on(operator: Client) -> None:
    channel = ChannelFactory.create(kind=Channel.Kind.TELEGRAM, chat_id="", is_paused=True)

    paused = operator.post(page_of(channel), form_of(channel, is_paused="on"))
    switched_on = operator.post(page_of(channel), form_of(channel) | {"is_paused": ""})
    operator.post(reverse("admin:publishing_channel_pause", args=[channel.pk]), {"paused": "0"})

    channel.refresh_from_db()
    assert (paused.status_code, channel.is_paused) == (302, True)
    assert "Without a chat nothing can be posted" in switched_on.content.decode()
