"""The menus of commands that Telegram's apps show."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from publishing.bot import menus
from publishing.bot.commands import COMMANDS, offered
from tests.publishing.chat import Chat, chat_with_bot

pytestmark = pytest.mark.django_db

PUBLIC = [one.name for one in offered(to_admin=False)]


@pytest.fixture
def chat(settings: Settings) -> Iterator[Chat]:
    with chat_with_bot(settings) as opened:
        settings.TELEGRAM_ADMIN_IDS = [7, 8]
        yield opened


def shown(chat: Chat) -> dict[tuple[str, str], list[str]]:
    """The commands of each menu by the scope and the language."""
    return {
        (call["scope"], call.get("language_code", "")): [one["command"] for one in json.loads(call["commands"])]
        for call in chat.api.called("setMyCommands")
    }


def test_everybody_sees_the_public_commands_and_administrators_all_in_each_language(chat: Chat) -> None:
    menus.set_up()

    scopes = {json.loads(scope)["type"] + str(json.loads(scope).get("chat_id", "")): scope for scope, _ in shown(chat)}
    assert set(scopes) == {"all_private_chats", "chat7", "chat8"}
    for language in ("", "ru", "en"):
        assert shown(chat)[scopes["all_private_chats"], language] == PUBLIC
        assert shown(chat)[scopes["chat7"], language] == list(COMMANDS)


def test_a_menu_speaks_its_language_and_by_default_the_newsrooms(chat: Chat) -> None:
    menus.set_up()

    described = {
        call.get("language_code", ""): json.loads(call["commands"])[0]["description"]
        for call in chat.api.called("setMyCommands")
        if "all_private_chats" in call["scope"]
    }
    assert described["en"] == "what this is"
    assert described[""] == described["ru"] != described["en"]


def test_groups_and_channels_lose_what_an_older_bot_has_left_there(chat: Chat) -> None:
    menus.set_up()

    assert {call.get("language_code", "") for call in chat.api.called("deleteMyCommands")} == {"", "ru", "en"}


def test_no_description_is_longer_than_telegram_takes() -> None:
    assert all(len(one.name) <= 32 and len(str(one.description)) <= 256 for one in COMMANDS.values())


def test_a_menu_that_is_refused_keeps_back_no_other(chat: Chat) -> None:
    chat.api.token_is_dead = True

    menus.set_up()

    assert len(chat.api.called("setMyCommands")) == 9
