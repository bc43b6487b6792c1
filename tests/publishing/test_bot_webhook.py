"""The page to which Telegram brings updates, and the process that sees to it that it does."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from publishing.bot import polling, webhook
from publishing.models import BotUpdate
from tests.endtoend.stack import wait_for
from tests.fakes.bot_api import BotApi
from tests.publishing.chat import Chat, chat_with_bot
from tests.publishing.outbox import TOKEN
from usage.models import Alert, ProcessSession

pytestmark = pytest.mark.django_db

ADDRESS, SECRET = "https://news.example/telegram/webhook/", "a-secret_of-the-webhook"


@pytest.fixture
def chat(settings: Settings) -> Iterator[Chat]:
    with chat_with_bot(settings) as opened:
        settings.TELEGRAM_WEBHOOK_URL, settings.TELEGRAM_WEBHOOK_SECRET = ADDRESS, SECRET
        yield opened


def bring(body: Any, secret: str = SECRET, **options: Any) -> int:
    """What the page answers to what is brought, by a client that has no token of a form."""
    content = body if isinstance(body, str) else json.dumps(body)
    client = Client(enforce_csrf_checks=True)
    headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
    response = client.post(
        reverse("telegram-webhook"), content, content_type="application/json", headers=headers, **options
    )
    assert response.content == b""
    return int(response.status_code)


def said(api: BotApi, text: str = "/start") -> dict[str, Any]:
    api.write_to_bot(text)
    return api.updates.pop()


def test_what_is_brought_is_written_down_and_answered_by_a_worker(
    chat: Chat, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        status = bring(said(chat.api))

    assert (status, BotUpdate.objects.count()) == (200, 1)
    assert "/latest" in chat.api.texts[0]


def test_what_is_brought_twice_is_answered_once(
    chat: Chat, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    update = said(chat.api)
    with django_capture_on_commit_callbacks(execute=True):
        statuses = [bring(update), bring(update)]

    assert (statuses, len(chat.api.ledger)) == ([200, 200], 1)


@pytest.mark.parametrize("secret", ["", "wrong", SECRET[:-1], SECRET + "x", "секрет".encode().decode("latin-1")])
def test_without_the_secret_nothing_is_taken(chat: Chat, secret: str) -> None:
    assert bring(said(chat.api), secret) == 403
    assert not BotUpdate.objects.exists()


def test_without_a_webhook_there_is_no_such_page(chat: Chat, settings: Settings) -> None:
    settings.TELEGRAM_WEBHOOK_URL = ""
    response = Client().post(reverse("telegram-webhook"), {}, headers={"X-Telegram-Bot-Api-Secret-Token": SECRET})

    assert response.status_code == 404


def test_a_browser_gets_nothing_either(chat: Chat) -> None:
    assert Client().get(reverse("telegram-webhook")).status_code == 405


@pytest.mark.parametrize("body", ["", "{", "[" * 100_000, '{"update_id": 1'])
def test_what_is_no_json_is_refused(chat: Chat, body: str) -> None:
    assert bring(body) == 400


@pytest.mark.parametrize("body", [[], 7, None, "text", {}, {"update_id": 5}, {"update_id": 5, "poll": {}}])
def test_what_is_not_for_the_bot_is_taken_and_dropped(chat: Chat, body: Any) -> None:
    assert bring(json.dumps(body)) == 200
    assert not BotUpdate.objects.exists()


def test_what_is_too_large_is_refused(chat: Chat) -> None:
    assert bring(json.dumps("x" * webhook.LARGEST_UPDATE)) == 413


def test_too_many_in_a_minute_are_left_to_telegram_for_later(chat: Chat, settings: Settings) -> None:
    settings.TELEGRAM_WEBHOOK_PER_MINUTE = 2

    assert [bring(said(chat.api)) for _ in range(3)] == [200, 200, 429]
    assert BotUpdate.objects.count() == 2


def test_a_flood_without_the_secret_does_not_keep_telegram_out(chat: Chat, settings: Settings) -> None:
    settings.TELEGRAM_WEBHOOK_PER_MINUTE = 2
    for _ in range(5):
        bring({}, "wrong")

    assert bring(said(chat.api)) == 200


def test_runbot_tells_telegram_where_and_with_which_secret(chat: Chat) -> None:
    stopped = threading.Event()
    stopped.set()

    webhook.keep(stopped)

    [told] = chat.api.called("setWebhook")
    assert (told["url"], told["secret_token"]) == (ADDRESS, SECRET)
    assert json.loads(told["allowed_updates"]) == list(polling.UPDATES)
    assert chat.api.called("setMyCommands")


def test_another_program_that_takes_the_updates_over_is_an_alert_until_it_is_gone(chat: Chat) -> None:
    chat.api.webhook = {"url": "https://elsewhere.example/"}
    webhook._look_around()
    raised = Alert.objects.open().filter(code="two_stacks").count()
    chat.api.webhook = {"url": ADDRESS}
    webhook._look_around()

    assert (raised, Alert.objects.open().count()) == (1, 0)


def test_what_telegram_complains_about_is_logged(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    complaint = {"last_error_message": "Wrong response: 502 Bad Gateway", "pending_update_count": 4}
    chat.api.webhook = {"url": ADDRESS} | complaint

    webhook._look_around()

    assert "could not bring 4 updates: Wrong response: 502" in caplog.text


def test_a_token_that_telegram_does_not_know_ends_it(chat: Chat) -> None:
    chat.api.token_is_dead = True

    with pytest.raises(polling.TokenRejected):
        webhook.keep(threading.Event())


@pytest.mark.django_db(transaction=True)
def test_the_command_shows_that_it_gets_things_done(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    settings.ALIVE_FILE = str(tmp_path / "alive")
    shown = []
    monkeypatch.setattr(webhook, "keep", lambda _stopped: shown.append(wait_for((tmp_path / "alive").exists, "life")))

    call_command("runbot")

    assert shown
    assert ProcessSession.objects.get(role="bot").ended_at


@pytest.mark.django_db(transaction=True)
def test_the_command_keeps_the_webhook_until_it_is_stopped(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(webhook, "_look_around", partial(signal.raise_signal, signal.SIGTERM))

    call_command("runbot")

    assert chat.api.called("setWebhook")
    assert capsys.readouterr().out.endswith("The bot has stopped.\n")


def test_the_secret_is_made_of_the_installations_own_if_none_is_set(settings: Settings) -> None:
    assert len(settings.TELEGRAM_WEBHOOK_SECRET) == 64
    assert TOKEN not in settings.TELEGRAM_WEBHOOK_SECRET
