"""Telegram's transport against a real server: what each way to fail proves, and that no token leaks from it."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_django import Settings

from publishing import telegram
from publishing.models import Channel, Message
from publishing.outcomes import NotSent, Outcome, Refused, Sent, Unknown
from publishing.telegram import TelegramTransport
from tests.factories import MediaFactory
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
        settings.TELEGRAM_API_BASE_URL, settings.TELEGRAM_TIMEOUT = server.url, 20
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


def test_silence_after_the_request_is_unknown(api: BotApi, settings: Settings) -> None:
    settings.TELEGRAM_TIMEOUT = 2
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
    api: BotApi,
    fault: Fault | None,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    settings.TELEGRAM_TIMEOUT = 2 if fault == Fault.HANG else 20
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

    outcome = telegram.edit(
        "TELEGRAM_BOT_TOKEN", "@channel", number, PAYLOAD | {"text": "Другой текст", "entities": []}
    )

    assert isinstance(outcome, Sent)
    assert (outcome.number, api.texts) == (number, ["Другой текст"])


def test_a_post_that_says_so_already_is_edited(api: BotApi) -> None:
    number = post_it()

    outcome = telegram.edit("TELEGRAM_BOT_TOKEN", "@channel", number, PAYLOAD)

    assert isinstance(outcome, Sent)
    assert outcome.number == number


def test_a_caption_goes_into_a_post_that_turned_out_to_be_text(api: BotApi) -> None:
    number = post_it()

    outcome = telegram.edit(
        "TELEGRAM_BOT_TOKEN", "@channel", number, PAYLOAD | {"kind": "photo", "text": "Подпись", "entities": []}
    )

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


# --- pictures -------------------------------------------------------------------------------------------------------


def send_photo(**fields: Any) -> Outcome:
    media = MediaFactory.create()
    payload = PAYLOAD | {"kind": "photo", "media": media.sha256} | fields
    return TelegramTransport(Channel(kind=Channel.Kind.TELEGRAM, chat_id="@channel")).send(Message(payload=payload))


@pytest.mark.django_db
def test_a_picture_goes_out_with_its_caption(api: BotApi) -> None:
    outcome = send_photo()

    [(method, parameters)] = api.calls
    assert isinstance(outcome, Sent)
    assert method == "sendPhoto"
    assert parameters["photo"] == MediaFactory.body
    assert parameters["caption"] == PAYLOAD["text"]
    assert '"type": "text_link"' in parameters["caption_entities"]


@pytest.mark.django_db
@pytest.mark.parametrize("fault", [Fault.BAD_PHOTO, Fault.REFUSED], ids=lambda fault: fault.name)
def test_a_picture_that_telegram_refuses_keeps_no_text_back(api: BotApi, fault: Fault) -> None:
    api.faults.append(fault)

    outcome = send_photo()

    assert isinstance(outcome, Sent)
    assert [method for method, _parameters in api.calls] == ["sendPhoto", "sendMessage"]
    assert api.texts == [PAYLOAD["text"]]


@pytest.mark.django_db
def test_a_refusal_that_took_long_leaves_no_time_for_the_text(api: BotApi, monkeypatch: pytest.MonkeyPatch) -> None:
    api.faults.append(Fault.BAD_PHOTO)
    clock = SimpleNamespace(monotonic=itertools.count(0, 100).__next__)
    monkeypatch.setattr(telegram, "time", clock)

    outcome = send_photo()

    assert isinstance(outcome, NotSent)
    assert len(api.calls) == 1


@pytest.mark.django_db
def test_a_picture_that_is_gone_keeps_no_text_back(api: BotApi) -> None:
    outcome = send_photo(media="0" * 64)

    assert isinstance(outcome, Sent)
    assert [method for method, _parameters in api.calls] == ["sendMessage"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fault",
    [Fault.DROP, Fault.RESET, Fault.TRUNCATE, Fault.BAD_GATEWAY, Fault.SERVER_ERROR, Fault.GARBAGE],
    ids=lambda fault: fault.name,
)
def test_a_picture_of_which_nothing_is_proved_is_not_followed_by_its_text(api: BotApi, fault: Fault) -> None:
    api.faults.append(fault)

    outcome = send_photo()

    assert isinstance(outcome, Unknown)
    assert len(api.calls) == 1


@pytest.mark.django_db
def test_a_flood_of_pictures_is_not_sent_and_says_how_long_to_wait(api: BotApi) -> None:
    api.faults.append(Fault.FLOOD)

    outcome = send_photo()

    assert isinstance(outcome, NotSent)
    assert (outcome.retry_after, len(api.calls)) == (timedelta(seconds=7), 1)


@pytest.mark.django_db
def test_the_caption_of_a_picture_is_edited_in_place(api: BotApi) -> None:
    outcome = send_photo()
    assert isinstance(outcome, Sent)

    telegram.edit(
        "TELEGRAM_BOT_TOKEN", "@channel", outcome.number, PAYLOAD | {"kind": "photo", "text": "Новая", "entities": []}
    )

    assert api.texts == ["Новая"]
    assert [method for method, _parameters in api.calls] == ["sendPhoto", "editMessageCaption"]


@pytest.mark.django_db
def test_a_text_that_no_longer_fits_is_refused_as_caption(api: BotApi) -> None:
    outcome = send_photo()
    assert isinstance(outcome, Sent)

    edited = telegram.edit("TELEGRAM_BOT_TOKEN", "@channel", outcome.number, PAYLOAD | {"text": "я" * 1025})

    assert isinstance(edited, Refused)
    assert "caption is too long" in edited.reason
