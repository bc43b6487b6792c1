"""Telegram's transport against a real server: what each way to fail proves, and that no token leaks from it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django import Settings

from publishing import telegram
from publishing.models import Channel, Message
from publishing.outcomes import NotSent, Outcome, Refused, Sent, Unknown
from publishing.telegram import TelegramTransport
from tests.fakes.bot_api import BotApi, Fault, bot_api
from tests.servers import free_port

TOKEN = "123456789:AAcanary-canary_canary0canary1canary2"
PAYLOAD = {
    "text": "Заголовок\n\nИсточник",
    "entities": [
        {"type": "bold", "offset": 0, "length": 9},
        {"type": "text_link", "offset": 11, "length": 8, "url": "https://news.example/1"},
    ],
    "link_preview_options": {"url": "https://news.example/1"},
}


@pytest.fixture
def api(settings: Settings) -> Iterator[BotApi]:
    with bot_api() as server:
        settings.TELEGRAM_API_BASE_URL, settings.TELEGRAM_TIMEOUT = server.url, 3
        settings.TELEGRAM_TOKENS = {"TELEGRAM_BOT_TOKEN": TOKEN}
        yield server


def send() -> Outcome:
    channel = Channel(kind=Channel.Kind.TELEGRAM, chat_id="@channel")
    return TelegramTransport(channel).send(Message(payload=PAYLOAD))


def test_a_message_in_the_reply_is_sent(api: BotApi) -> None:
    outcome = send()

    assert isinstance(outcome, Sent)
    assert outcome.number == api.ledger[0]["message_id"]
    assert api.texts == ["Заголовок\n\nИсточник"]


def test_one_post_is_one_call_with_its_entities_and_preview(api: BotApi) -> None:
    send()

    [(method, parameters)] = api.calls
    assert method == "sendMessage"
    assert parameters["chat_id"] == "@channel"
    assert '"type": "text_link"' in parameters["entities"]
    assert parameters["link_preview_options"] == '{"url": "https://news.example/1"}'


@pytest.mark.parametrize(
    "fault",
    [Fault.DROP, Fault.TRUNCATE, Fault.BAD_GATEWAY, Fault.SERVER_ERROR, Fault.GARBAGE],
    ids=lambda fault: fault.name,
)
def test_what_proves_nothing_is_unknown(api: BotApi, fault: Fault) -> None:
    api.faults.append(fault)

    assert isinstance(send(), Unknown)


def test_silence_after_the_request_is_unknown(api: BotApi) -> None:
    api.faults.append(Fault.HANG)

    assert isinstance(send(), Unknown)
    assert len(api.ledger) == 1


def test_a_connection_never_made_is_not_sent(api: BotApi, settings: Settings) -> None:
    settings.TELEGRAM_API_BASE_URL = f"http://127.0.0.1:{free_port()}"

    outcome = send()

    assert isinstance(outcome, NotSent)
    assert not outcome.pause


def test_an_unusable_address_is_not_sent(api: BotApi, settings: Settings) -> None:
    settings.TELEGRAM_API_BASE_URL = "http://127.0.0.1:port"

    assert isinstance(send(), NotSent)


def test_a_message_telegram_will_never_take_is_refused(api: BotApi) -> None:
    api.faults.append(Fault.REFUSED)

    outcome = send()

    assert isinstance(outcome, Refused)
    assert "can't parse entities" in outcome.reason
    assert api.ledger == []


def test_a_dead_token_stops_the_bot(api: BotApi) -> None:
    api.faults.append(Fault.UNAUTHORIZED)

    outcome = send()

    assert isinstance(outcome, NotSent)
    assert outcome.stops_bot


@pytest.mark.parametrize("fault", [Fault.FORBIDDEN, Fault.CHAT_NOT_FOUND], ids=lambda fault: fault.name)
def test_what_stops_the_whole_channel_pauses_it(api: BotApi, fault: Fault) -> None:
    api.faults.append(fault)

    outcome = send()

    assert isinstance(outcome, NotSent)
    assert outcome.pause


def test_a_flood_is_not_sent_and_says_how_long_to_wait(api: BotApi) -> None:
    api.faults.append(Fault.FLOOD)

    outcome = send()

    assert isinstance(outcome, NotSent)
    assert outcome.retry_after == timedelta(seconds=7)


def test_a_chat_that_has_moved_tells_its_new_number(api: BotApi) -> None:
    api.faults.append(Fault.MIGRATED)

    outcome = send()

    assert isinstance(outcome, NotSent)
    assert outcome.moved_to == "-1002000000001"


def test_a_missing_token_sends_nothing(api: BotApi, settings: Settings) -> None:
    settings.TELEGRAM_TOKENS = {}

    outcome = send()

    assert isinstance(outcome, NotSent)
    assert api.calls == []


def test_telegram_cannot_say_what_became_of_a_message() -> None:
    transport = TelegramTransport(Channel(kind=Channel.Kind.TELEGRAM))

    assert isinstance(transport.find(Message()), Unknown)


@pytest.mark.parametrize("fault", [None, *Fault], ids=lambda fault: fault.name if fault else "none")
def test_the_token_is_in_no_outcome_and_no_log(
    api: BotApi, fault: Fault | None, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    api.faults.extend([fault] if fault else [])

    outcome = send()

    written = f"{outcome!r} {caplog.text} {capfd.readouterr()}"
    assert TOKEN.partition(":")[2] not in written


# --- after the post -------------------------------------------------------------------------------------------------


def post_it() -> int:
    outcome = send()
    assert isinstance(outcome, Sent)
    return outcome.number


def test_a_post_is_edited_in_place(api: BotApi) -> None:
    number = post_it()

    outcome = telegram.edit("TELEGRAM_BOT_TOKEN", "@channel", number, PAYLOAD | {"text": "Другой текст"})

    assert isinstance(outcome, Sent)
    assert (outcome.number, api.texts) == (number, ["Другой текст"])


def test_a_post_that_says_so_already_is_edited(api: BotApi) -> None:
    number = post_it()

    outcome = telegram.edit("TELEGRAM_BOT_TOKEN", "@channel", number, PAYLOAD)

    assert isinstance(outcome, Sent)
    assert outcome.number == number


def test_a_caption_goes_into_a_post_that_turned_out_to_be_text(api: BotApi) -> None:
    number = post_it()

    outcome = telegram.edit("TELEGRAM_BOT_TOKEN", "@channel", number, PAYLOAD | {"kind": "photo", "text": "Подпись"})

    assert isinstance(outcome, Sent)
    assert api.texts == ["Подпись"]


def test_a_post_that_is_gone_is_not_edited(api: BotApi) -> None:
    outcome = telegram.edit("TELEGRAM_BOT_TOKEN", "@channel", 5, PAYLOAD)

    assert isinstance(outcome, Refused)
    assert "message to edit not found" in outcome.reply


def test_a_post_is_deleted(api: BotApi) -> None:
    number = post_it()

    outcome = telegram.delete("TELEGRAM_BOT_TOKEN", "@channel", number)

    assert isinstance(outcome, Sent)
    assert api.ledger == []


def test_a_post_that_somebody_has_deleted_already_is_deleted(api: BotApi) -> None:
    assert isinstance(telegram.delete("TELEGRAM_BOT_TOKEN", "@channel", 5), Sent)


def test_without_a_token_nothing_is_edited_or_deleted(api: BotApi, settings: Settings) -> None:
    settings.TELEGRAM_TOKENS = {}

    edited = telegram.edit("TELEGRAM_BOT_TOKEN", "@channel", 5, PAYLOAD)
    deleted = telegram.delete("TELEGRAM_BOT_TOKEN", "@channel", 5)

    assert isinstance(edited, NotSent)
    assert isinstance(deleted, NotSent)
