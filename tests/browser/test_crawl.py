"""Every page of the admin in a real browser: nothing is broken, nothing is untranslated, nobody is kept out.

Pages are found by the URL resolver and by walking their links, so a new one is looked at without being named here. In
the suite each is opened once, in Russian, by turns light and dark; of histories and deletions, which are Django's own,
only some, and axe looks at one page of each shape. `CRAWL=all pytest tests/browser/test_crawl.py` spares nothing: every
page in both languages and both themes, wide and on a phone.
"""

from __future__ import annotations

import os
import re
from collections import Counter, deque
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import axe_playwright_python
import django
import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Error, Page

from tests.browser import pages
from tests.browser.everything import furnish
from tests.browser.test_templates import sign_in
from tests.factories import UserFactory
from warandpeace.roles import ROLES

IS_THOROUGH = os.environ.get("CRAWL") == "all"
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(3600 if IS_THOROUGH else 600)]

PLAIN_OPENED = 4
LOOKS = [("ru", "light", 1280), ("ru", "dark", 1280), ("en", "light", 390), ("en", "dark", 390)]
# The same in every language: the names of a language, of roles, and of what a call to a model was for; and how the
# history of a package writes that nobody did it.
NAMES = {"English", "None", *(role.name for role in ROLES), "summary", "digest", "forecast", "trial"}
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
SEEN = """() => {
    const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT), texts = [];
    while (walker.nextNode()) {
        const where = walker.currentNode.parentElement;
        if (!where.closest("script, style, template, pre, code, textarea, [translate=no], .material-symbols-outlined"))
            texts.push(walker.currentNode.data.trim().replace(/\\s+/g, " "));
    }
    for (const one of document.querySelectorAll("[title], [placeholder], [aria-label], [alt], input[type=submit]"))
        texts.push(one.title, one.placeholder, one.ariaLabel, one.alt, one.type === "submit" ? one.value : "");
    return {
        title: document.title,
        headings: [...document.querySelectorAll("h1")].filter(one => one.checkVisibility())
            .map(one => one.textContent.trim()),
        texts: [...new Set(texts.filter(Boolean))],
        links: [...new Set([...document.querySelectorAll("a[href]")].map(one => one.getAttribute("href")))],
        wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    };
}"""
# Select2, which comes with Django, gives its stand-in of a field no name; the field itself is looked at.
LOOK_AT_IT = """() => axe.run({exclude: [".select2-container"]}, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], resultTypes: ["violations"],
}).then(found => found.violations
    .filter(one => ["serious", "critical"].includes(one.impact))
    .flatMap(one => one.nodes.map(node => `${one.id}: ${node.target} ${node.html.slice(0, 200)}`)))"""


@dataclass
class Crawl:
    """A walk through the pages in one window, with what was wrong on each."""

    page: Page
    site: str
    problems: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    shapes: set[str] = field(default_factory=set)
    plain: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        hear = self.heard.append
        self.page.on("console", lambda said: hear(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: hear(str(error)))
        # What a page still asks for when it is left is nobody's fault.
        self.page.on(
            "requestfailed",
            lambda request: hear(f"no answer: {request.url}") if request.failure != "net::ERR_ABORTED" else None,
        )
        self.page.on(
            "response", lambda answer: hear(f"{answer.status}: {answer.url}") if answer.status >= 400 else None
        )

    def walk(self, looks: list[tuple[str, str, int]]) -> None:
        """Open a page of each kind that can be found, in the looks by turns."""
        waiting, known = deque(sorted(pages.from_resolver(), key=lambda path: path.count("/"))), set[str]()
        while waiting:
            address = waiting.popleft()
            if not (kind := pages.kind(address)) or kind in known:
                continue
            known.add(kind)
            if self.is_plain(address):
                continue
            waiting.extend(self.open(address, looks[len(self.opened) % len(looks)]))

    def is_plain(self, address: str) -> bool:
        """Whether it is a history or a deletion, which are Django's own pages, and enough of them were opened."""
        verb = address.rstrip("/").rpartition("/")[2]
        self.plain[verb] += verb in {"history", "delete"}
        return self.plain[verb] > PLAIN_OPENED and not IS_THOROUGH

    def open(self, address: str, look: tuple[str, str, int]) -> list[str]:
        """Look at one page; where its links lead."""
        language, theme, width = look
        cookie = {"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": self.site}
        self.page.context.add_cookies([cookie])  # type: ignore[list-item]
        self.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        self.page.set_viewport_size({"width": width, "height": 900})
        self.heard.clear()
        if not self._is_page(address):
            return []
        seen = self.page.evaluate(SEEN)
        wrong = [*self.heard, *faults(seen, language), *self.kept_out(address)]
        self.opened.append(address)
        self.problems += [f"{address} ({language}, {theme}): {what}" for what in wrong]
        return [self._whole(link) for link in seen["links"]]

    def _is_page(self, address: str) -> bool:
        """Whether something to look at opens; a door may be shut to everybody, or only take forms."""
        try:
            answer = self.page.goto(f"{self.site}{address}")
        except Error as error:
            if "ERR_HTTP_RESPONSE_CODE_FAILURE" not in str(error):  # an answer without a body
                raise
            return False
        return answer is not None and answer.status not in {403, 405}

    def _whole(self, link: str) -> str:
        """The address of a link without the site, whatever it is relative to."""
        return urljoin(self.page.url, link).removeprefix(self.site)

    def kept_out(self, address: str) -> list[str]:
        """What axe finds, unless it has seen a page made of the same templates."""
        shape = pages.shape(self.page.url.removeprefix(self.site))
        if shape in self.shapes and not IS_THOROUGH:
            return []
        self.shapes.add(shape)
        self.page.evaluate(AXE)
        found: list[str] = self.page.evaluate(LOOK_AT_IT)
        return found


def faults(seen: dict[str, Any], language: str) -> list[str]:
    """What is wrong with a page by what can be read on it."""
    found = [] if seen["title"] else ["no title"]
    found += [] if any(seen["headings"]) else ["no heading"]
    found += [f"{seen['wide']} px wider than the window"] if seen["wide"] > 0 else []
    if language == "ru":
        found += [f"in English: {text}" for text in seen["texts"] if is_untranslated(text)]
    return found


def is_untranslated(text: str) -> bool:
    """Whether a text is one of ours, of Django's or of another package's that has a Russian translation."""
    plain, patterns = messages()
    return text not in NAMES and (text in plain or bool(patterns.fullmatch(text)))


@cache
def messages() -> tuple[set[str], re.Pattern[str]]:
    """The English texts of all catalogues: those without placeholders, and a pattern of those with some."""
    plain, patterns = set[str](), list[str]()
    for path in catalogues():
        with path.open("rb") as file:
            for message in read_po(file, locale="ru"):
                for text in [message.id] if isinstance(message.id, str) else message.id:
                    if not re.search(r"[A-Za-z]{3}", text) or text == message.string:
                        continue
                    if "%" in text or "{" in text:
                        patterns.append(re.sub(r"%\\\(\w+\\\)[sd]|%[sd]|\\\{\w*\\\}", "[^<>]{1,200}", re.escape(text)))
                    else:
                        plain.add(" ".join(text.split()))
    worded = [pattern for pattern in patterns if len(re.findall(r"[A-Za-z]{3,}", pattern)) > 2]
    return plain, re.compile("|".join(worded))


def catalogues() -> list[Path]:
    folder = Path(django.__file__).parent
    theirs = [folder / "conf/locale", *(folder / f"contrib/{name}/locale" for name in ("admin", "auth"))]
    return [Path(root) / "ru/LC_MESSAGES/django.po" for root in (*settings.LOCALE_PATHS, *theirs)]


@pytest.mark.either_database
def test_every_page_is_whole_translated_and_open_to_everybody(browser: Browser, live_server: Any) -> None:
    client = Client()
    client.force_login(UserFactory(is_superuser=True, username="olga"))
    furnish()
    window = browser.new_page(locale="ru-RU")
    sign_in(window, live_server.url, client)
    crawl = Crawl(window, live_server.url)

    for looks in [[look] for look in LOOKS] if IS_THOROUGH else [LOOKS[:2]]:
        crawl.walk(looks)
    window.close()

    assert not crawl.problems, "\n".join(crawl.problems)
    assert len(crawl.opened) > 120
