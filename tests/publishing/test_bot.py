"""The bot in a process of its own that polls a real server."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections
from pytest_django import Settings

from publishing.bot import inbox, polling
from publishing.models import BotUpdate, Publication
from tests.endtoend.stack import PATIENCE, database_url, wait_for
from tests.factories import PublicationFactory
from tests.fakes.bot_api import BotApi, bot_api
from tests.publishing.chat import chat_with_bot, published
from tests.publishing.outbox import TOKEN
from usage.models import Alert

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parents[2]


@contextmanager
def running(api: BotApi, var_dir: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    variables = os.environ | {
        "DJANGO_SETTINGS_MODULE": "warandpeace.settings",
        "DATABASE_URL": database_url(),
        "VAR_DIR": str(var_dir),
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_ADMIN_IDS": "7",
        "TELEGRAM_API_BASE_URL": api.url,
    }
    with subprocess.Popen(
        [sys.executable, "manage.py", "runbot"],
        cwd=ROOT,
        env=variables | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def stop(process: subprocess.Popen[str]) -> str:
    """End it as a service manager would; what it has printed."""
    process.send_signal(signal.SIGTERM)
    output, _nothing = process.communicate(timeout=PATIENCE)
    return output


async def listen_once(poller: polling.Poller) -> None:
    async with poller.request:
        await poller._listen_once()


def test_everybody_may_ask_for_what_is_public_and_for_nothing_else(tmp_path: Path) -> None:
    published("Порт увеличил перевалку")
    with bot_api() as api, running(api, tmp_path) as process:
        for text in ("/queue", "/approve 1", "привет", "/start", "/latest", "/status"):
            api.write_to_bot(text, user_id=99)
        wait_for(lambda: len(api.ledger) == 3, "three answers")
        output = stop(process)

    assert any("/latest" in text for text in api.texts)
    assert any("Порт увеличил перевалку" in text for text in api.texts)
    assert (process.returncode, TOKEN.partition(":")[2] in output) == (0, False)


def test_an_update_that_telegram_brings_again_is_answered_once(tmp_path: Path) -> None:
    with bot_api() as api:
        api.write_to_bot("/start")
        again = dict(api.updates[0])
        with running(api, tmp_path) as process:
            wait_for(lambda: api.ledger, "an answer")
            api.updates.append(again)
            api.write_to_bot("/status")
            wait_for(lambda: len(api.ledger) == 2, "another answer")
            stop(process)

    assert len(api.ledger) == 2
    assert BotUpdate.objects.filter(finished_at=None).count() == 0


def test_a_decision_stands_once_whenever_the_process_is_killed(tmp_path: Path) -> None:
    waiting = PublicationFactory.create()
    with bot_api() as api:
        api.write_to_bot("/queue")
        with running(api, tmp_path) as process:
            wait_for(lambda: api.ledger, "the queue")
            api.tap(f"approve:{waiting.pk}:1:0")
            wait_for(lambda: Publication.objects.get().state == Publication.State.APPROVED, "the decision")
            process.kill()
        with running(api, tmp_path) as process:
            api.tap(f"approve:{waiting.pk}:1:0")
            wait_for(lambda: BotUpdate.objects.exclude(finished_at=None).count() > 1, "the second tap")
            stop(process)

    approvals = Publication.history.filter(history_change_reason="approved")
    assert (approvals.count(), waiting.messages.count()) == (1, 1)


def test_another_poller_is_an_alert_until_it_is_gone(tmp_path: Path) -> None:
    with bot_api() as api:
        api.conflicts = 1
        with running(api, tmp_path) as process:
            wait_for(lambda: Alert.objects.filter(code="two_stacks").exists(), "the alert")
            wait_for(lambda: not Alert.objects.filter(code="two_stacks").open().exists(), "its end")
            stop(process)

    assert process.returncode == 0


def test_it_starts_before_telegram_can_be_reached(tmp_path: Path) -> None:
    with bot_api() as api:
        url = api.url
    with running(BotApi(url=url), tmp_path) as process:
        assert process.stdout is not None
        wait_for(lambda: "asking again" in process.stdout.readline(), "a warning")  # type: ignore[union-attr]
        assert process.poll() is None
        output = stop(process)

    assert TOKEN.partition(":")[2] not in output


def test_a_token_that_telegram_does_not_know_is_told_without_showing_it(tmp_path: Path) -> None:
    with bot_api() as api:
        api.token_is_dead = True
        with running(api, tmp_path) as process:
            output, _nothing = process.communicate(timeout=PATIENCE)

    assert process.returncode == 1
    assert "Telegram does not know this token" in output
    assert TOKEN.partition(":")[2] not in output


def test_without_a_token_it_says_what_to_set(settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN = ""

    with pytest.raises(CommandError, match="Set TELEGRAM_BOT_TOKEN"):
        call_command("runbot")


def test_while_the_database_is_away_telegram_keeps_the_updates(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(polling, "LONGEST_PAUSE", timedelta(0))
    with chat_with_bot(settings) as chat:
        chat.api.write_to_bot("/start")
        poller = polling.Poller(TOKEN)
        with monkeypatch.context() as away:
            away.setattr(inbox, "receive", Mock(side_effect=OperationalError))
            asyncio.run(listen_once(poller))
        poller.rows.submit(connections.close_all).result()

    assert poller.offset is None
    assert "The database is away: OperationalError" in caplog.text


def test_what_goes_wrong_in_a_thread_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    poller = polling.Poller(TOKEN)
    poller._in_thread(Mock(side_effect=ZeroDivisionError))
    poller.threads.shutdown(wait=True)

    assert "an answer of the bot came to nothing" in caplog.text
    assert "ZeroDivisionError" in caplog.text
