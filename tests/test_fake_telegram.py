"""The Telegram of the tests is as strict as the real one: what it accepts, subscribers would see."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.fakes.bot_api import BotApi, Pace, bot_api

BOLD = {"type": "bold", "offset": 0, "length": 5}


@pytest.fixture
def api() -> Iterator[BotApi]:
    with bot_api() as server:
        yield server


def call(api: BotApi, method: str, **parameters: object) -> str:
    """Make a call; what Telegram objects to, or nothing."""
    reply = httpx.post(f"{api.url}/bot1:token/{method}", data={"chat_id": "@channel"} | parameters)
    return str(reply.json().get("description", ""))


@pytest.mark.parametrize(
    ("text", "objection"),
    [
        ("я" * 4096, ""),
        ("🙂" * 2048, ""),
        ("я" * 4097, "Bad Request: message is too long"),
        ("🙂" * 2049, "Bad Request: message is too long"),
        (" \n", "Bad Request: message text is empty"),
    ],
    ids=["full", "full of emoji", "one too many", "one emoji too many", "blank"],
)
def test_a_text_is_measured_in_utf_16(api: BotApi, text: str, objection: str) -> None:
    assert call(api, "sendMessage", text=text) == objection
    assert len(api.ledger) == (not objection)


def test_a_caption_is_shorter(api: BotApi) -> None:
    assert not call(api, "sendPhoto", photo="x", caption="я" * 1024)
    assert call(api, "sendPhoto", photo="x", caption="я" * 1025) == "Bad Request: message caption is too long"


@pytest.mark.parametrize(
    "entity",
    [
        BOLD | {"length": 6},
        BOLD | {"offset": -1},
        BOLD | {"type": "text_link", "url": "no address"},
        BOLD | {"type": "marquee"},
    ],
    ids=["beyond the end", "before the beginning", "no address", "no such kind"],
)
def test_entities_must_fit_the_text(api: BotApi, entity: dict[str, object]) -> None:
    objection = call(api, "sendMessage", text="Поезд", entities=json.dumps([entity]))

    assert objection.startswith("Bad Request: can't parse entities: ")
    assert api.ledger == []


def test_an_entity_must_not_begin_inside_a_letter(api: BotApi) -> None:
    inside = json.dumps([BOLD | {"offset": 1, "length": 1}])

    assert "middle" in call(api, "sendMessage", text="🙂 Поезд", entities=inside)


def test_a_post_is_changed_only_where_that_changes_something(api: BotApi) -> None:
    call(api, "sendMessage", text="Поезд")

    assert not call(api, "editMessageText", message_id=100, text="Самолёт")
    assert "not modified" in call(api, "editMessageText", message_id=100, text="Самолёт")
    assert not call(api, "deleteMessage", message_id=100)
    assert "not found" in call(api, "deleteMessage", message_id=100)


def test_a_chat_takes_one_message_a_second_and_twenty_a_minute() -> None:
    moment = [0.0]
    pace = Pace(clock=lambda: moment[0])

    assert (pace.seconds_to_wait("@a"), pace.seconds_to_wait("@a"), pace.seconds_to_wait("@b")) == (0, 1, 0)
    for second in range(1, 20):
        moment[0] = float(second)
        assert pace.seconds_to_wait("@a") == 0
    moment[0] = 20.0
    assert pace.seconds_to_wait("@a") == 35
    moment[0] = 55.0
    assert pace.seconds_to_wait("@a") == 0


def test_a_bot_makes_thirty_calls_a_second() -> None:
    pace = Pace(clock=lambda: 0.0)

    waits = [pace.seconds_to_wait(f"@{number}") for number in range(31)]

    assert waits == [0] * 30 + [1]


def test_who_is_too_fast_is_told_how_long_to_wait() -> None:
    with bot_api(pace=Pace()) as api:
        replies = [httpx.post(f"{api.url}/bot1:token/sendMessage", data={"chat_id": "@a", "text": "Раз"}) for _ in "12"]

    assert [reply.status_code for reply in replies] == [200, 429]
    assert replies[1].json()["parameters"] == {"retry_after": 1}
    assert len(api.ledger) == 1
