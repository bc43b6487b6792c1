"""Each update comes in once and is answered at most once, whatever goes wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from publishing import tasks
from publishing.bot import inbox, queue, speaking
from publishing.bot.commands import COMMANDS, Command
from publishing.bot.conversation import Answer, Asked
from publishing.models import Bot, BotUpdate, Message, Publication, Subscriber
from tests.factories import PublicationFactory
from tests.fakes.bot_api import Fault
from tests.publishing.chat import STRANGER, Chat, chat_with_bot
from tests.publishing.outbox import TOKEN

pytestmark = pytest.mark.django_db


@pytest.fixture
def chat(settings: Settings) -> Iterator[Chat]:
    with chat_with_bot(settings) as opened:
        yield opened


def update(text: Any = "/start", **changes: Any) -> dict[str, Any]:
    """A message in a private chat, as the Bot API brings it."""
    person = {"id": STRANGER, "is_bot": False, "first_name": "Анна", "language_code": "en"}
    chat = {"id": STRANGER, "type": "private"}
    message = {"message_id": 5, "date": 1790000000, "chat": chat, "from": person, "text": text}
    return {"update_id": 1000, "message": message | changes}


GROUP: dict[str, Any] = {"chat": {"id": -100, "type": "supergroup", "title": "Группа"}}
ANOTHER_BOT: dict[str, Any] = {"from": {"id": 5, "is_bot": True, "first_name": "Бот"}}
NO_NUMBER: dict[str, Any] = {"from": {"id": 2**70, "is_bot": False, "first_name": "Анна"}}
NOT_FOR_US: list[Any] = [
    update(**GROUP),
    update(**ANOTHER_BOT),
    {"update_id": 1, "channel_post": update(**GROUP)["message"]},
    {"update_id": 1},
    {},
    [],
    "text",
    None,
    7,
    {"update_id": 1, "message": []},
    {"update_id": "x", "message": {}},
    update(text=5),
    update(text=None),
    update(date=10**30),
    update() | {"update_id": -1},
    update() | {"update_id": 2**64},
    update(**NO_NUMBER),
]


@pytest.mark.parametrize("payload", NOT_FOR_US, ids=str)
def test_what_is_not_said_to_the_bot_in_private_is_left_out(chat: Chat, payload: Any) -> None:
    assert inbox.receive([payload]) == []
    assert not BotUpdate.objects.exists()


def test_an_update_comes_in_once(chat: Chat) -> None:
    first, again = inbox.receive([update(), update()]), inbox.receive([update()])

    assert (len(first), again) == (1, [])


def test_another_bot_counts_its_updates_by_itself(chat: Chat, settings: Settings) -> None:
    inbox.receive([update()])
    settings.TELEGRAM_BOT_TOKEN = "987:another"

    assert len(inbox.receive([update()])) == 1


def test_an_update_is_answered_once_and_then_forgotten(chat: Chat) -> None:
    [key] = inbox.receive([update()])
    inbox.answer(key)
    inbox.answer(key)

    row = BotUpdate.objects.get()
    assert (len(chat.api.ledger), row.payload, row.finished_at is not None) == (1, {}, True)


def test_what_nobody_has_begun_to_answer_is_answered_by_a_worker(chat: Chat) -> None:
    inbox.receive([update()])
    BotUpdate.objects.update(received_at=timezone.now() - timedelta(seconds=10))

    tasks.ring_due()
    tasks.ring_due()

    assert len(chat.api.ledger) == 1


def test_what_was_begun_by_a_process_that_died_is_not_begun_again(chat: Chat) -> None:
    [key] = inbox.receive([update()])
    BotUpdate.objects.take(key)
    BotUpdate.objects.update(received_at=timezone.now() - timedelta(seconds=10))

    tasks.ring_due()

    assert chat.api.ledger == []


def test_old_updates_are_deleted(chat: Chat) -> None:
    inbox.receive([update(), update() | {"update_id": 1001}])
    BotUpdate.objects.filter(update_id=1000).update(received_at=timezone.now() - timedelta(days=3))

    assert inbox.forget() == 1


@pytest.mark.parametrize("text", ["/start \0 \ud800", "/search \0\ud83d", "/" + "x" * 9000, "/start@warandpeace_bot"])
def test_any_text_fits_into_a_row(chat: Chat, text: str) -> None:
    [key] = inbox.receive([update(text=text)])
    inbox.answer(key)

    assert BotUpdate.objects.get().finished_at is not None


def test_an_approval_rings_for_its_channel(chat: Chat) -> None:
    waiting = PublicationFactory.create()
    chat.write("/queue")
    chat.api.tap(f"approve:{waiting.pk}:1:0")
    [key] = inbox.receive(list(chat.api.updates))

    tasks.answer_update(key)

    assert Message.objects.get().state == Message.State.SENT
    assert Publication.objects.get().state == Publication.State.PUBLISHED


# --- flood control ---------------------------------------------------------------------------------------------------


def test_who_writes_too_fast_is_told_once_and_then_not_heard(chat: Chat, settings: Settings) -> None:
    settings.TELEGRAM_UPDATES_PER_MINUTE = 3
    said = [chat.write("/start") for _ in range(6)]

    assert [bool(one) for one in said] == [True, True, True, True, False, False]
    assert said[3] == "That is too much at once. Please wait a minute."
    assert BotUpdate.objects.count() == 4


def test_after_a_minute_they_are_heard_again_and_others_all_the_time(chat: Chat, settings: Settings) -> None:
    settings.TELEGRAM_UPDATES_PER_MINUTE = 1
    chat.write("/start")
    chat.write("/start")
    chat.person = 99
    other = chat.write("/start")
    chat.person = 7
    BotUpdate.objects.update(received_at=timezone.now() - timedelta(minutes=2))

    assert (bool(other), chat.write("/start").startswith("This is")) == (True, True)


def test_a_tap_beyond_the_limit_decides_nothing(chat: Chat, settings: Settings) -> None:
    waiting = PublicationFactory.create()
    settings.TELEGRAM_UPDATES_PER_MINUTE = 1
    chat.write("/queue")

    toast = chat.send_tap(f"approve:{waiting.pk}:1:0")

    assert toast == "That is too much at once. Please wait a minute."
    assert Publication.objects.get().state == Publication.State.PENDING


# --- when something fails --------------------------------------------------------------------------------------------


def broken(asked: Asked) -> Answer:
    raise ZeroDivisionError(f"the token is {TOKEN}")


def test_a_command_that_fails_is_logged_and_told_and_the_next_one_works(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patched:
        patched.setitem(COMMANDS, "latest", Command("latest", COMMANDS["latest"].description, broken, False))
        failed = chat.write("/latest")

    assert failed == "That did not work; it was noted down. Please try again later."
    assert "ZeroDivisionError" in caplog.text
    assert chat.write("/status") == "Nothing has been published yet."


def test_a_button_that_fails_says_so_over_the_chat(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    PublicationFactory.create_batch(2)
    chat.write("/queue")
    monkeypatch.setattr(queue, "_at", broken)

    assert chat.tap("›") == "That did not work; it was noted down. Please try again later."


def test_telegrams_wish_to_wait_is_kept_for_every_process(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaking, "PATIENCE", timedelta(0))
    chat.api.faults.append(Fault.FLOOD)
    before = timezone.now()
    chat.write("/start")
    chat.write("/start")

    assert Bot.objects.get().resumes_at >= before + timedelta(seconds=7)
    assert len(chat.api.called("sendMessage")) == 1


def test_a_short_wait_is_waited_for(chat: Chat) -> None:
    wish = timezone.now() + timedelta(seconds=1)
    Bot.objects.create(token_env="TELEGRAM_BOT_TOKEN", resumes_at=wish)
    chat.write("/start")

    assert (len(chat.api.ledger), timezone.now() >= wish) == (1, True)


def test_an_answer_that_may_have_arrived_is_not_repeated(chat: Chat) -> None:
    chat.api.faults.append(Fault.DROP)
    chat.write("/start")

    assert len(chat.api.called("sendMessage")) == 1


def test_who_has_stopped_the_bot_is_noted_as_such(chat: Chat) -> None:
    Subscriber.objects.create(telegram_user_id=7)
    chat.api.faults.append(Fault.FORBIDDEN)
    chat.write("/start")

    assert Subscriber.objects.get().state == Subscriber.State.BLOCKED


def test_a_paused_bot_keeps_silent(chat: Chat) -> None:
    Bot.objects.create(token_env="TELEGRAM_BOT_TOKEN", is_paused=True)

    assert chat.write("/start") == ""


def test_a_decision_stands_even_if_it_could_not_be_told(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = PublicationFactory.create()
    chat.write("/queue")
    monkeypatch.setattr(speaking, "PATIENCE", timedelta(0))
    Bot.objects.update(resumes_at=timezone.now() + timedelta(hours=1))

    chat.send_tap(f"approve:{waiting.pk}:1:0")

    assert Publication.objects.get().state == Publication.State.APPROVED
