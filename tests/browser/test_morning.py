"""An editor's whole morning, from the passkey to the posts in the channel; and two editors at one publication."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from publishing.models import Channel, Publication
from tests.browser.test_editor import open_queue
from tests.browser.test_passkeys import authenticator, publisher, site, transferred  # noqa: F401  two are fixtures
from tests.browser.test_templates import sign_in
from tests.factories import ChannelFactory, PublicationFactory
from tests.people import signed_in

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = "/admin/publishing/pendingpublication/"
TITLES = ("Мост открыли", "Трактор собрали", "Котики победили", "Порт увеличил перевалку")


@pytest.fixture
def channel() -> Channel:
    """A channel in whose queue four publications wait, the last of `TITLES` at the top."""
    made: Channel = ChannelFactory.create(slug="main", name="Новости")
    for title in TITLES:
        PublicationFactory.create(channel=made, title=title)
    return made


def state_of(title: str) -> str:
    return Publication.objects.get(title=title).state


def told(page: Page, text: str) -> None:
    """Wait for what the next page says, and until it listens to keys."""
    expect(page.get_by_text(text)).to_be_visible()
    page.wait_for_load_state()


def triage(page: Page) -> None:
    """By the keyboard alone: look the keys up, approve the first row, reject the second, open the third."""
    page.keyboard.press("?")
    keys = page.get_by_role("heading", name="Клавиши очереди")
    expect(keys).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    for key in ("j", "a"):
        page.keyboard.press(key)
    told(page, "Одобрена 1 публикация.")
    for key in ("j", "r"):
        page.keyboard.press(key)
    page.get_by_label("Причина").fill("Не наша тема")
    page.keyboard.press("Enter")
    told(page, "Отклонена 1 публикация.")
    for key in ("j", "k", "j", "k", "e"):
        page.keyboard.press(key)


def edit_and_schedule(page: Page, day: Any) -> None:
    """Change the title, look at the post, and give it a time on a day that is far enough away."""
    page.get_by_label("Заголовок").fill("Тысячный трактор собрали")
    expect(page.locator("#preview")).to_contain_text("Тысячный трактор собрали")
    page.locator("button[name=_schedule]").click()
    page.locator("input[name=moment]").fill(f"{day}T09:30")
    page.locator(".wp-decide .wp-button-main").click()
    expect(page.locator(".wp-decide")).to_have_count(0)


def test_a_whole_morning(page: Page, site: str, authenticator: Any, channel: Channel) -> None:  # noqa: F811
    transferred(publisher(), authenticator)
    day = (timezone.now().astimezone(channel.zone) + timedelta(days=40)).replace(day=10).date()

    page.goto(f"{site}/admin/login/?next=/admin/")
    page.locator("[data-passkey=show]").click()
    open_queue(page)
    triage(page)
    edit_and_schedule(page, day)
    page.goto(f"{site}{QUEUE}calendar/?view=month&day={day}")
    later = page.locator(f"[data-day='{day + timedelta(days=2)}']")
    with page.expect_navigation():
        page.locator("[data-publication]").drag_to(later)
    expect(later.locator(".wp-post")).to_contain_text("09:30 Тысячный трактор собрали")
    page.goto(f"{site}{QUEUE}")
    page.get_by_role("link", name="Мост открыли").click()
    page.locator("button[name=_approve]").click()
    expect(page.get_by_text("Одобрено: «Мост открыли».")).to_be_visible()
    page.goto(f"{site}/sandbox/main/")

    expect(page.locator(".post b")).to_have_text(["Порт увеличил перевалку", "Мост открыли"])
    assert state_of("Котики победили") == Publication.State.REJECTED
    assert state_of("Тысячный трактор собрали") == Publication.State.APPROVED


def test_two_editors_at_one_publication(browser: Browser, page: Page, live_server: Any) -> None:
    publication = PublicationFactory.create(title="Порт")
    address = f"{live_server.url}/admin/publishing/publication/{publication.pk}/change/"
    sign_in(page, live_server.url, signed_in("publisher"))
    other = browser.new_context(locale="ru-RU").new_page()
    sign_in(other, live_server.url, signed_in("editor"))

    page.goto(address)
    other.goto(address)
    expect(other.get_by_text("Эту публикацию открыл(а) и publisher.")).to_be_visible()
    page.get_by_label("Заголовок").fill("Порт вырос")
    page.locator("button[name=_save]").click()
    expect(page.locator("#publication-form input[name=revision]")).to_have_value("2")
    other.get_by_label("Заголовок").fill("Порт расширили")
    other.locator("button[name=_save]").click()

    expect(other.locator(".wp-other").first).to_contain_text("Порт вырос")
    expect(other.get_by_label("Заголовок")).to_have_value("Порт расширили")
    publication.refresh_from_db()
    assert publication.title == "Порт вырос"
    other.context.close()
