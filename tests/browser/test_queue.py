"""The queue, the calendar and the offers in a real browser: what needs a script, and what works without one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from publishing.approval import approve
from publishing.models import Publication
from tests.browser.test_templates import sign_in
from tests.factories import ChannelFactory, PublicationFactory
from tests.people import signed_in

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = "/admin/publishing/pendingpublication/"


@pytest.fixture
def desk(live_server: Any, page: Page, settings: Any) -> Page:
    """A window of a publisher, in a newsroom where decisions can be undone."""
    settings.UNDO_SECONDS = 600
    sign_in(page, live_server.url, signed_in("publisher"))
    return page


def test_a_decision_is_undone_by_its_key(desk: Page, live_server: Any) -> None:
    publication = PublicationFactory(title="Порт")
    desk.goto(f"{live_server.url}{QUEUE}")

    desk.keyboard.press("j")
    desk.keyboard.press("a")
    expect(desk.locator(".wp-toast-floats")).to_be_visible()
    desk.wait_for_load_state()
    desk.keyboard.press("u")

    expect(desk.get_by_role("link", name="Порт", exact=True)).to_be_visible()
    publication.refresh_from_db()
    assert publication.state == Publication.State.PENDING


def test_keys_are_heard_as_soon_as_their_page_is_closed_and_not_before(desk: Page, live_server: Any) -> None:
    """A browser leaves the focus in a closed dialog until it draws again; what is pressed meanwhile is not lost."""
    PublicationFactory()
    desk.goto(f"{live_server.url}{QUEUE}")
    pressed = "dialog.dispatchEvent(new KeyboardEvent('keydown', {code: 'KeyJ', bubbles: true}))"
    rows = "document.querySelectorAll('.wp-current').length"

    dialog = desk.locator("#wp-keys-help")
    while_open = dialog.evaluate(f"dialog => {{ dialog.showModal(); {pressed}; return {rows} }}")
    afterwards = dialog.evaluate(f"dialog => {{ dialog.close(); {pressed}; return {rows} }}")

    assert (while_open, afterwards) == (0, 1)


def test_a_decision_is_undone_without_a_script(browser: Browser, live_server: Any, settings: Any) -> None:
    settings.UNDO_SECONDS = 600
    publication = PublicationFactory()
    window = browser.new_context(java_script_enabled=False).new_page()
    sign_in(window, live_server.url, signed_in("publisher"))

    window.goto(f"{live_server.url}{QUEUE}")
    window.locator(f"button[value='approve_selected:{publication.pk}']").dispatch_event("click")
    window.locator(".wp-toast button").dispatch_event("click")

    expect(window.locator(f"button[value='approve_selected:{publication.pk}']")).to_be_attached()
    window.context.close()


def test_what_comes_meanwhile_is_told_first_and_shown_on_demand(desk: Page, live_server: Any) -> None:
    first = PublicationFactory(title="Первая")
    desk.goto(f"{live_server.url}{QUEUE}")
    PublicationFactory(title="Вторая", channel=first.channel)

    expect(desk.locator("#wp-new")).to_be_visible()
    told_first = desk.locator("#result_list .data-row").count()
    desk.locator("#wp-new").click()

    expect(desk.locator("#result_list .data-row")).to_have_count(2)
    assert told_first == 1
    expect(desk.locator("#wp-new")).to_be_hidden()


def test_a_post_is_dragged_to_another_day(desk: Page, live_server: Any) -> None:
    channel = ChannelFactory()
    moment = (timezone.now().astimezone(channel.zone) + timedelta(days=40)).replace(day=10, hour=9, minute=30)
    publication = approve(PublicationFactory(channel=channel).pk, by=None, scheduled_for=moment)
    desk.goto(f"{live_server.url}{QUEUE}calendar/?view=month&day={moment.date()}")

    with desk.expect_navigation():
        desk.locator(f"[data-publication='{publication.pk}']").drag_to(
            desk.locator(f"[data-day='{moment.date() + timedelta(days=2)}']")
        )

    expect(desk.locator(f"[data-day='{moment.date() + timedelta(days=2)}'] .wp-post")).to_be_visible()
    publication.refresh_from_db()
    assert publication.scheduled_for == moment + timedelta(days=2)


def test_a_post_is_moved_by_keyboard(desk: Page, live_server: Any) -> None:
    channel = ChannelFactory()
    moment = (timezone.now().astimezone(channel.zone) + timedelta(days=40)).replace(day=10, hour=9, minute=30, second=0)
    publication = approve(PublicationFactory(channel=channel).pk, by=None, scheduled_for=moment)
    desk.goto(f"{live_server.url}{QUEUE}calendar/?view=week&day={moment.date()}")

    desk.locator(".wp-post summary").press("Enter")
    desk.locator(".wp-post input[name=moment]").fill(moment.strftime("%Y-%m-%dT18:45"))
    desk.locator(".wp-post input[name=moment]").press("Enter")

    expect(desk.locator(".wp-post summary")).to_contain_text("18:45")
    publication.refresh_from_db()
    assert publication.scheduled_for == moment.replace(hour=18, minute=45, microsecond=0)


def test_an_offer_is_taken_into_the_text(desk: Page, live_server: Any) -> None:
    publication = PublicationFactory(text="Мой текст")
    offered = publication.article.summaries.create(version=1, is_trial=True, text="Предложенный текст")
    desk.goto(f"{live_server.url}/admin/publishing/publication/{publication.pk}/change/")

    desk.locator(f"button[name=_take][value='{offered.pk}']").click()

    expect(desk.locator("textarea[name=text]")).to_have_value("Предложенный текст")
    expect(desk.locator("#preview")).to_contain_text("Предложенный текст")
