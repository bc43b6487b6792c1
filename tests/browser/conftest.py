"""A real browser against a real server of this process: the system's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
# How long anything may take, ms. Nobody waits that long for what works; a busy machine may need it.
PATIENCE = 60_000


@pytest.fixture(scope="package", autouse=True)
def playwright_beside_the_orm() -> Iterator[None]:
    """Playwright keeps an event loop in this thread, in which Django would refuse every query.

    It ends with the tests of this package: later ones run event loops of their own.
    """
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.fail("No Chromium was found: install it with `apt-get install chromium`, or run `make test`.")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty window. Whatever the browser complains about (errors, refused scripts) fails the test at its end."""
    window = browser.new_page(viewport={"width": 1440, "height": 900}, locale="ru-RU")
    window.set_default_timeout(PATIENCE)
    complaints: list[str] = []
    window.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    window.on("pageerror", lambda error: complaints.append(str(error)))
    yield window
    window.close()
    assert complaints == []
