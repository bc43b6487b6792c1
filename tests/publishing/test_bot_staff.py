"""What administrators ask the bot about the newsroom."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django.utils.translation import override
from pytest_django import Settings

from publishing.bot import debugging, probes
from publishing.models import DebugWindow, TelegramEditor
from tests.factories import PublicationFactory
from tests.people import person
from tests.publishing.chat import ADMIN, STRANGER, Chat, chat_with_bot
from warandpeace import health
from warandpeace.models import Heartbeat

pytestmark = pytest.mark.django_db


@pytest.fixture
def chat(settings: Settings) -> Iterator[Chat]:
    with chat_with_bot(settings) as opened:
        yield opened


@pytest.fixture(autouse=True)
def levels_as_before() -> Iterator[None]:
    yield
    for name in debugging.OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)


def is_detailed() -> set[bool]:
    return {logging.getLogger(name).isEnabledFor(logging.DEBUG) for name in debugging.OURS}


def test_the_menu_is_every_command_as_a_button(chat: Chat) -> None:
    PublicationFactory.create(title="Порт")
    chat.write("/menu")
    chat.tap("/queue")

    assert "Порт" in chat.newest["text"]


@pytest.mark.parametrize("data", ["/queue", "/healthcheck", "/debug_on", "/menu", "/reissue"])
def test_a_stranger_who_taps_a_command_gets_nothing(chat: Chat, data: str) -> None:
    chat.write("/menu")
    chat.person = STRANGER

    chat.send_tap(data, {"message_id": 1, "text": ""})

    assert chat.api.stand_in(str(STRANGER)) == []
    assert not DebugWindow.objects.exists()


def test_healthcheck_tells_the_facts_of_the_status_command(chat: Chat, capsys: pytest.CaptureFixture[str]) -> None:
    Heartbeat.beat("sweeper")
    said = chat.write("/healthcheck")
    call_command("status")

    with override(chat.language):
        details = {name: check.detail for name, check in health.answers().items()}
    assert said.startswith("Everything works.")
    assert all(f"✅ {name}" in said for name in details)
    assert details["messages"] in said
    assert details["messages"] in capsys.readouterr().out


def test_healthcheck_says_first_what_is_wrong(chat: Chat) -> None:
    said = chat.write("/healthcheck").splitlines()

    assert said[0] == "Wrong: 1"
    assert said[2] == "❗ sweeper: has never run"


def test_healthcheck_is_told_in_the_language_of_whoever_asks_while_programs_read_english(
    chat: Chat, client: Client
) -> None:
    PublicationFactory.create(state="pending")
    chat.language = "ru"

    said = chat.write("/healthcheck")
    asked = client.get("/readyz", headers={"Accept-Language": "ru"}).json()

    assert "ждёт одобрения 1" in said
    assert "_seconds" not in said
    assert asked["checks"]["sweeper"]["detail"] == "has never run"


def test_anybody_downstream_may_plug_in_a_probe(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "PROBES", [])
    probes.plug_in(lambda: [probes.Fact("<b>oven</b>", "cold", ok=False)])

    assert "❗ <b>oven</b>: cold" in chat.write("/healthcheck")


def test_debug_on_makes_the_logs_of_every_process_detailed_for_a_while(chat: Chat) -> None:
    chat.write("/debug_on")
    window = DebugWindow.objects.get()
    here = is_detailed()
    DebugWindow.objects.update(until=timezone.now() - timedelta(seconds=1))
    debugging.obey()

    assert (here, is_detailed()) == ({True}, {False})
    assert timedelta(minutes=29) < window.until - timezone.now() <= timedelta(minutes=30)
    assert window.asked_by == "telegram:7"


@pytest.mark.parametrize(
    ("words", "minutes"), [("5", 5), ("9999", 240), ("99999", 240), ("-5", 30), ("many", 30), ("٣", 30)]
)
def test_debug_on_is_bounded(chat: Chat, words: str, minutes: int) -> None:
    chat.write(f"/debug_on {words}")

    left = DebugWindow.objects.get().until - timezone.now()
    assert timedelta(minutes=minutes - 1) < left <= timedelta(minutes=minutes)


def test_debug_off_ends_it(chat: Chat) -> None:
    chat.write("/debug_on")
    chat.write("/debug_off")

    assert is_detailed() == {False}


def test_detailed_logs_show_no_words_of_people_and_no_loggers_of_others(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    chat.write("/debug_on")
    caplog.clear()
    chat.write("/search secret words")

    assert "/search" in caplog.text
    assert "secret words" not in caplog.text
    assert {record.name.partition(".")[0] for record in caplog.records} <= set(debugging.OURS)


def test_an_account_that_may_not_pause_channels_may_not_switch_logs(chat: Chat) -> None:
    TelegramEditor.objects.create(telegram_user_id=ADMIN, user=person("editor"))

    assert chat.write("/debug_on") == "Your account in the newsroom may not do this."
    assert not DebugWindow.objects.exists()
