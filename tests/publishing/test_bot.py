"""The bot as people meet it, in a process of its own that polls a real server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone, translation
from pytest_django import Settings

from publishing import bot
from publishing.models import Publication
from tests.endtoend.stack import database_url, wait_for
from tests.factories import ArticleFactory, PublicationFactory
from tests.fakes.bot_api import BotApi, bot_api

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parents[2]
TOKEN = "123456789:AAcanary-canary_canary0canary1canary2"


def published(title: str) -> Publication:
    article = ArticleFactory.create(title=title)
    made: Publication = PublicationFactory.create(
        article=article, state=Publication.State.PUBLISHED, published_at=timezone.now()
    )
    return made


@contextmanager
def running(api: BotApi, var_dir: Path) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "warandpeace.settings",
        "DATABASE_URL": database_url(),
        "VAR_DIR": str(var_dir),
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_API_BASE_URL": api.url,
    }
    with subprocess.Popen(
        [sys.executable, "manage.py", "runbot"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_everybody_may_ask_for_what_is_public_and_for_nothing_else(tmp_path: Path) -> None:
    published("Порт увеличил перевалку")
    with bot_api() as api, running(api, tmp_path) as process:
        for text in ("/queue", "/approve 1", "привет", "/start", "/latest", "/status"):
            api.write_to_bot(text)
        wait_for(lambda: len(api.ledger) == 3, "three answers")
        process.send_signal(signal.SIGTERM)
        output, _nothing = process.communicate(timeout=20)

    hello, latest, status = api.texts
    assert "/latest" in hello
    assert "Порт увеличил перевалку" in latest
    assert ": 1." in status
    assert (process.returncode, TOKEN.partition(":")[2] in output) == (0, False)


def test_a_token_that_telegram_does_not_know_is_told_without_showing_it(tmp_path: Path) -> None:
    with bot_api() as api:
        api.token_is_dead = True
        with running(api, tmp_path) as process:
            output, _nothing = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "Telegram does not know this token" in output
    assert TOKEN.partition(":")[2] not in output


def test_without_a_token_it_says_what_to_set(settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN = ""

    with pytest.raises(CommandError, match="Set TELEGRAM_BOT_TOKEN"):
        call_command("runbot")


def test_it_answers_in_the_language_of_the_person() -> None:
    [russian] = bot._in_language(bot.status, "ru")
    [english] = bot._in_language(bot.status, "de")

    assert english.text == "Nothing has been published yet."
    assert russian.text != english.text


def test_the_latest_link_to_their_articles() -> None:
    one = published("Заголовок")
    with translation.override("en"):
        [part] = bot.latest()

    assert part.text == "The latest\n\nЗаголовок"
    assert one.article is not None
    assert part.entities[1].url == one.article.url
