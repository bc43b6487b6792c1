"""The pictures of the tour and of the docs, taken of the real pages: `make screenshots`.

With a folder (`python -m tests.browser.screenshots /tmp/look`) every page is taken there in both languages, light and
dark, wide and on a phone, to be looked at.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.staticfiles.handlers import StaticFilesHandler  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.testcases import LiveServerThread  # noqa: E402
from django.test.utils import setup_databases, setup_test_environment, teardown_databases  # noqa: E402
from django.utils import timezone  # noqa: E402
from PIL import Image  # noqa: E402
from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from articles.models import Article  # noqa: E402
from publishing import approval, delivery  # noqa: E402
from publishing.models import Channel, Publication  # noqa: E402
from tests.browser.conftest import NAMES  # noqa: E402
from tests.browser.month import live_through  # noqa: E402
from tests.factories import (  # noqa: E402
    ArticleFactory,
    ChannelFactory,
    PublicationFactory,
    SourceFactory,
    UserFactory,
)
from tests.people import signed_in  # noqa: E402
from tests.usage.news import NEWS  # noqa: E402

COLOURS = 200
LANGUAGES = {"ru": "ru-RU", "en": "en-US"}
WIDE, PHONE = (1280, 800), (390, 844)
QUEUE = "/admin/publishing/pendingpublication/"
TOUR = settings.BASE_DIR / "publishing/static/publishing/tour"
DOCS = settings.BASE_DIR / "docs/images"


@dataclass(frozen=True)
class Look:
    """A window: its language, whether it is dark, and its size in pixels."""

    language: str
    is_dark: bool = False
    size: tuple[int, int] = WIDE


# Beside the news with whole texts, so that the queue has a morning's length.
TITLES = (
    "На БАМе открыли второй путь на участке Улак — Февральск",
    "В Мурманске спустили на воду ледокол-снабженец",
    "Учёные проследили путь гренландских китов с помощью дронов",
    "Театр в Омске показал премьеру без единой реплики",
    "Трамваи вернулись на набережную после ремонта",
)


def morning() -> dict[str, str]:
    """A newsroom's morning: the addresses of the pages, by the names of their pictures."""
    channel = ChannelFactory(name="Война и мир", slug="warandpeace")
    source = SourceFactory(name="Лента Приморья")
    news = [ArticleFactory(source=source, title=one.title, content=one.text) for one in NEWS]
    rows = [_row(channel, article) for article in news]
    for title in TITLES:
        PublicationFactory(channel=channel, article__source=source, title=title)
    _send(channel, rows[3:5])
    monday = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    monday += timedelta(days=7 - monday.weekday())
    for number, row in enumerate(rows[:3]):
        at = monday + timedelta(days=number + number // 3, hours=5 + 2 * number, minutes=15 * (number % 4))
        approval.approve(row.pk, by=None, scheduled_for=at)
    approval.approve(rows[5].pk, by=None)
    rejected = rows[6]
    approval.reject(rejected.pk, by=None, reason="Уже было вчера")
    wrong = rows[-1]
    approval.edit(wrong.pk, by=None, revision=1, title=wrong.title, text=wrong.text.replace(" ", " 97 ", 1))
    week = f"{QUEUE}calendar/?day={(monday + timedelta(days=1)).date()}"
    return {
        "queue": QUEUE,
        "editor": f"/admin/publishing/publication/{wrong.pk}/change/",
        "calendar": week,
        "published": "/admin/publishing/publication/",
        "approved": f"{QUEUE}?stage=approved",
        "sending": f"{QUEUE}?stage=sending",
        "month": f"{week}&view=month",
        "tour": f"{QUEUE}tour/",
        "sandbox": "/sandbox/warandpeace/",
    }


def _send(channel: Channel, rows: list[Publication]) -> None:
    """Let some posts be out already; from then on the channel keeps its pace."""
    for row in rows:
        approval.approve(row.pk, by=None)
    delivery.deliver(channel.pk)
    Channel.objects.filter(pk=channel.pk).update(seconds_between_posts=3)


def _row(channel: Channel, article: Article) -> Publication:
    text = ". ".join(article.content.split(". ")[:3])[:600]
    row: Publication = PublicationFactory(channel=channel, article=article, text=text)
    return row


@contextmanager
def site() -> Iterator[tuple[str, Client]]:
    """The product on a free port with rows of its own, and somebody who is signed in."""
    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    server = LiveServerThread("localhost", StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    try:
        yield f"http://localhost:{server.port}", signed_in("publisher")
    finally:
        server.terminate()
        teardown_databases(databases, verbosity=0)


def chief() -> Client:
    """A browser of somebody who may see everything."""
    client = Client()
    client.force_login(UserFactory(is_superuser=True, username="chief", first_name="Вера", last_name="Орлова"))
    return client


def shoot(browser: Browser, address: str, client: Client, look: Look, targets: dict[str, Path]) -> None:
    """Take the pages in one kind of window; each path of `targets` by the address of its page."""
    width, height = look.size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale=LANGUAGES[look.language],
        color_scheme="dark" if look.is_dark else "light",
    )
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    cookies = {settings.SESSION_COOKIE_NAME: session, settings.LANGUAGE_COOKIE_NAME: look.language}
    context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
    window = context.new_page()
    window.on("console", lambda message: print(message.text, file=sys.stderr) if message.type == "error" else None)
    for page, target in targets.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        window.goto(f"{address}{page}", wait_until="networkidle")
        window.screenshot(path=target, full_page=target.parent not in {TOUR, DOCS})
        shrink(target)
    context.close()


def shrink(picture: Path) -> None:
    """Draw a picture anew in so few colours that nobody sees the difference: a third of the bytes."""
    with Image.open(picture) as shot:
        small = shot.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(picture, optimize=True)


def main() -> None:
    """Take the product's pictures or, with a folder, everything there is to look at."""
    path = next(filter(None, map(shutil.which, NAMES)))
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with site() as (address, client), sync_playwright() as playwright:
        pages, office, everywhere = morning(), live_through(), chief()
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for language in LANGUAGES:
            if folder is None:
                shown = ("queue", "editor", "calendar", "published")
                targets = {pages[name]: TOUR / f"{name}-{language}.png" for name in shown}
                shoot(browser, address, client, Look(language), targets)
                more = ("editor", "calendar") if language == "ru" else ()
                targets = {pages[name]: DOCS / f"{name}-{language}.png" for name in ("queue", "sandbox", *more)}
                shoot(browser, address, client, Look(language), targets)
                continue
            for size, is_dark in ((WIDE, False), (WIDE, True), (PHONE, False), (PHONE, True)):
                kind = f"{language}-{size[0]}-{'dark' if is_dark else 'light'}"
                targets = {address: folder / f"{name}-{kind}.png" for name, address in pages.items()}
                shoot(browser, address, client, Look(language, is_dark, size), targets)
                targets = {where: folder / f"{name}-{kind}.png" for name, where in office.items()}
                shoot(browser, address, everywhere, Look(language, is_dark, size), targets)
        if folder is None:
            shoot(browser, address, everywhere, Look("ru"), {office[name]: DOCS / f"{name}-ru.png" for name in office})
        browser.close()


if __name__ == "__main__":
    main()
