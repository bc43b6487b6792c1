"""Templates and pictures in a real browser: the sample that follows the typing, and a picture that is really shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect

from publishing import delivery
from publishing.approval import approve
from tests.factories import ChannelFactory, PictureFactory, PublicationFactory
from tests.people import signed_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.either_database]


def sign_in(page: Page, address: str, client: Client) -> None:
    """Let the browser be whom the client is."""
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])


def test_the_sample_post_follows_the_typing_and_says_what_is_wrong(live_server: Any, page: Page) -> None:
    channel = ChannelFactory(footer="@warandpeace")
    sign_in(page, live_server.url, signed_in("operator"))
    page.goto(f"{live_server.url}/admin/publishing/channel/{channel.pk}/change/")

    page.locator("textarea[name=template]").fill("<b>{title}</b>\n{tittle}")
    expect(page.locator("#sample [role=alert]")).to_contain_text("{tittle}")
    page.locator("textarea[name=template]").fill("<i>{title}</i>\n{footer}")

    expect(page.locator("#sample i")).to_be_visible()
    expect(page.locator("#sample .tg-mention")).to_have_text("@warandpeace")


def test_the_sandbox_shows_the_picture_and_the_newest_post_at_the_bottom(live_server: Any, page: Page) -> None:
    channel = ChannelFactory(slug="news", with_photos=True)
    for _number in range(4):
        publication = PublicationFactory(channel=channel)
        PictureFactory(article=publication.article)
        approve(publication.pk, by=None)
    delivery.deliver(channel.pk)

    page.goto(f"{live_server.url}/sandbox/news/")

    newest = page.locator("img.photo").last
    expect(newest).to_be_in_viewport()
    expect(newest).to_have_js_property("naturalWidth", 400)
