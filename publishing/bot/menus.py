"""The menus of commands in Telegram's apps: the public one in private chats, the whole one in administrators' chats.

Telegram keeps them until they are set anew. Groups and channels get none, nor does any chat an older bot's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial

from django.conf import settings
from django.utils import translation
from telegram import (
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeDefault,
)

from publishing import telegram
from publishing.alerts import TOKEN_ENV
from publishing.bot.commands import offered

logger = logging.getLogger(__name__)

# Whose Telegram speaks another language reads the newsroom's.
LANGUAGES: tuple[tuple[str | None, str], ...] = (
    (None, settings.LANGUAGE_CODE),
    *((code, code) for code, _name in settings.LANGUAGES),
)


def set_up() -> None:
    """Set all menus; harmless at any time. One that fails costs a log line: the commands work without it."""
    for step in steps():
        step()


def steps() -> list[Callable[[], None]]:
    """The calls that set all menus, one each."""
    cleared = [partial(_call, "default", _nothing(code)) for code, _language in LANGUAGES]
    filled = [partial(_call, scope.type, _shown(scope, commands, code)) for scope, commands, code in _menus()]
    return [*cleared, *filled]


def _menus() -> Iterator[tuple[BotCommandScope, list[BotCommand], str | None]]:
    """Each menu: where it is shown, what it offers, and for whose apps."""
    administrators = [BotCommandScopeChat(person) for person in settings.TELEGRAM_ADMIN_IDS]
    for code, language in LANGUAGES:
        with translation.override(language):
            everybody, admins = (
                [BotCommand(one.name, str(one.description)) for one in offered(to_admin=to_admin)]
                for to_admin in (False, True)
            )
        yield BotCommandScopeAllPrivateChats(), everybody, code
        yield from ((scope, admins, code) for scope in administrators)


def _call(where: str, make: telegram.Call) -> None:
    request = telegram.call(TOKEN_ENV, make)
    if request is not None and request.result() is None:
        logger.info("the bot's menu for %s was not set: %s", where, type(request.outcome()).__name__)


def _nothing(code: str | None) -> telegram.Call:
    return lambda bot: bot.delete_my_commands(BotCommandScopeDefault(), language_code=code)


def _shown(scope: BotCommandScope, commands: list[BotCommand], code: str | None) -> telegram.Call:
    return lambda bot: bot.set_my_commands(commands, scope=scope, language_code=code)
