"""A digest on its workbench in a real browser: ordered by keyboard and by dragging, rewritten, approved, read."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from publishing.models import Channel, Digest, Publication
from tests.people import person
from tests.publishing.newsroom import news, newsroom, written

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def channel() -> Channel:
    made = newsroom(slug="main", name="Новости")
    news(made)
    return made


@pytest.fixture
def bench(live_server: Any, page: Page, client: Any, channel: Channel) -> Page:
    """A window in which a publisher looks at a digest of three sections."""
    client.force_login(person("publisher"))
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    page.goto(f"{live_server.url}/admin/publishing/digest/{written(channel).pk}/change/")
    expect(page.locator(".wp-section")).to_have_count(3)
    return page


def shown(page: Page) -> list[str]:
    return [title.strip() for title in page.locator(".wp-section-title").all_inner_texts()]


def test_a_digest_is_ordered_rewritten_approved_and_read_in_the_sandbox(bench: Page, live_server: Any) -> None:
    one, two, three = shown(bench)

    bench.locator(".wp-section").nth(2).focus()
    bench.keyboard.press("Alt+ArrowUp")
    bench.keyboard.press("Alt+ArrowUp")
    in_that_order = re.compile(".*".join(map(re.escape, (three, one, two))), re.DOTALL)
    expect(bench.locator("#preview")).to_have_text(in_that_order)
    first = bench.locator(".wp-section").first
    first.locator("summary").nth(1).click()
    first.locator("input[name=instruction]").fill("короче")
    first.locator("button[name=_rewrite]").click()
    expect(bench.locator(".wp-section").first.locator("summary")).to_have_count(3)
    bench.locator("button[name=_approve]").click()
    expect(bench.locator("button[name=_approve]")).to_have_count(0)

    bench.goto(f"{live_server.url}/sandbox/main/")
    told = bench.locator(".post .text").inner_text()
    assert told.index(three) < told.index(one) < told.index(two)


def test_a_section_is_dragged_to_another_place(bench: Page) -> None:
    one, two, three = shown(bench)

    target = bench.locator(".wp-section").first
    bench.locator(".wp-handle").nth(2).drag_to(target, target_position={"x": 60, "y": 5})
    expect(bench.locator("input[name=revision]").first).to_have_value("2")

    expect(bench.locator(".wp-section-title")).to_have_text([three, one, two])
    titles = Digest.objects.get().sections.order_by("position").values_list("heading", flat=True)
    assert list(titles) == [three, one, two]


def test_what_somebody_types_survives_a_move(bench: Page) -> None:
    first = bench.locator(".wp-section").first
    first.locator("summary").first.click()
    first.locator("textarea").fill("Моя редакция.")

    first.locator("[data-way=down]").click()
    expect(bench.locator("input[name=revision]").first).to_have_value("2")

    moved = bench.locator(".wp-section").nth(1)
    expect(moved.locator("textarea")).to_have_value("Моя редакция.")
    moved.locator("button[name=_write]").click()
    expect(bench.locator("#preview")).to_contain_text("Моя редакция.")


def test_an_order_made_on_a_stale_page_is_not_forced_on_others(bench: Page) -> None:
    Digest.objects.update(revision=5)
    one, two, three = shown(bench)

    bench.locator(".wp-section [data-way=down]").first.click()
    expect(bench.locator("input[name=revision]").first).to_have_value("5")

    expect(bench.locator(".wp-section-title")).to_have_text([one, two, three])


def test_a_button_counts_on_no_order_that_was_not_saved(bench: Page) -> None:
    asked: list[Route] = []
    bench.route(bench.url, lambda route: route.continue_() if asked else asked.append(route))

    with bench.expect_request(lambda request: request.method == "POST"):
        bench.locator(".wp-section [data-way=down]").first.click()
    bench.locator("button[name=_approve]").click()
    with bench.expect_navigation():
        asked[0].fulfill(body="Welcome to this hotel's network.")

    expect(bench.locator("button[name=_approve]")).to_be_visible()
    assert Publication.objects.get(digest__isnull=False).state == Publication.State.PENDING


def test_a_button_waits_for_an_order_that_is_being_saved(bench: Page) -> None:
    one, two, three = shown(bench)
    asked: list[Route] = []
    bench.route(bench.url, lambda route: route.continue_() if asked else asked.append(route))

    with bench.expect_request(lambda request: request.method == "POST"):
        bench.locator(".wp-section [data-way=down]").first.click()
    bench.locator("button[name=_approve]").click()
    asked[0].continue_()

    expect(bench.locator("button[name=_approve]")).to_have_count(0)
    titles = Digest.objects.get().sections.order_by("position").values_list("heading", flat=True)
    assert list(titles) == [two, one, three]
