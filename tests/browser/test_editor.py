"""An editor's work in a real browser: from the sign-in to the post in the sandbox."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from publishing.models import Publication
from tests.factories import PublicationFactory
from tests.people import person

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "a-long-enough-password"
QUEUE = "/admin/publishing/pendingpublication/"


@pytest.fixture
def newsroom(live_server: Any, page: Page) -> Page:
    """A window in which a publisher has just signed in, on the dashboard."""
    publisher = person("publisher")
    publisher.set_password(PASSWORD)
    publisher.save()
    page.goto(f"{live_server.url}/admin/")
    page.get_by_label("Имя пользователя").fill(publisher.username)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")
    expect(page.get_by_role("heading", name="Сводка").first).to_be_visible()
    return page


def open_queue(page: Page) -> None:
    page.get_by_role("link", name="Очередь").click()
    expect(page.get_by_text("вниз и вверх")).to_be_visible()
    page.wait_for_load_state()


def test_a_publication_is_edited_approved_and_seen_in_the_sandbox(newsroom: Page, live_server: Any) -> None:
    publication = PublicationFactory(title="Порт увеличил перевалку")

    open_queue(newsroom)
    newsroom.get_by_role("link", name="Порт увеличил перевалку").click()
    newsroom.get_by_label("Заголовок").fill("Порт побил рекорд")
    expect(newsroom.locator("#preview")).to_contain_text("Порт побил рекорд")
    newsroom.get_by_role("button", name="Одобрить версию").click()

    expect(newsroom.get_by_text("Одобрено: «Порт побил рекорд».")).to_be_visible()
    newsroom.goto(f"{live_server.url}/sandbox/{publication.channel.slug}/")
    expect(newsroom.get_by_text("Порт побил рекорд")).to_be_visible()


def test_what_is_typed_before_the_page_is_ready_is_shown(newsroom: Page, live_server: Any) -> None:
    publication = PublicationFactory(title="Порт увеличил перевалку")
    typed = "document.querySelector('#publication-form [name=title]').value = 'Порт побил рекорд'"
    newsroom.add_init_script(f"document.addEventListener('DOMContentLoaded', () => {{ {typed} }})")

    newsroom.goto(f"{live_server.url}/admin/publishing/publication/{publication.pk}/change/")

    expect(newsroom.locator("#preview")).to_contain_text("Порт побил рекорд")


def test_the_units_left_are_counted_while_somebody_types(newsroom: Page, live_server: Any) -> None:
    publication = PublicationFactory(channel__footer="", article__url="not-an-address")
    newsroom.goto(f"{live_server.url}/admin/publishing/publication/{publication.pk}/change/")

    newsroom.get_by_label("Заголовок").fill("Да")
    newsroom.get_by_label("Текст публикации").fill("🏦")

    expect(newsroom.locator("#units")).to_contain_text("6 из 4096")


def test_the_queue_is_worked_through_by_keyboard(newsroom: Page) -> None:
    first, second = PublicationFactory(title="Первая"), PublicationFactory(title="Вторая")

    open_queue(newsroom)
    newsroom.keyboard.press("j")
    newsroom.keyboard.press("a")
    expect(newsroom.get_by_text("Одобрена 1 публикация.")).to_be_visible()
    newsroom.wait_for_load_state()
    newsroom.keyboard.press("j")
    newsroom.keyboard.press("r")
    newsroom.get_by_label("Причина").fill("повтор")
    newsroom.get_by_role("button", name="Отклонить").click()

    expect(newsroom.get_by_text("Отклонена 1 публикация.")).to_be_visible()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (second.state, first.state) == (Publication.State.PUBLISHED, Publication.State.REJECTED)


def test_j_and_k_move_through_the_rows(newsroom: Page) -> None:
    PublicationFactory(title="Нижняя")
    PublicationFactory(title="Верхняя")

    open_queue(newsroom)
    for key in ("j", "j", "k", "j", "e"):
        newsroom.keyboard.press(key)

    expect(newsroom.get_by_role("heading", name="Нижняя")).to_be_visible()


def test_several_are_decided_at_once(newsroom: Page) -> None:
    PublicationFactory.create_batch(3)

    open_queue(newsroom)
    newsroom.locator("#action-toggle").check()
    newsroom.get_by_role("combobox").select_option(label="Одобрить")
    newsroom.get_by_role("button", name="Выполнить").click()

    expect(newsroom.get_by_text("Одобрены 3 публикации.")).to_be_visible()


def test_the_keys_are_explained(newsroom: Page) -> None:
    PublicationFactory()

    open_queue(newsroom)
    newsroom.keyboard.press("?")

    expect(newsroom.get_by_role("heading", name="Клавиши очереди")).to_be_visible()
