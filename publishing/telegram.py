"""Telegram as a transport: one call of the Bot API a message, through python-telegram-bot.

What happened is read from the wire, below the library's own errors: those don't tell a connection that was never
made from a reply that was lost.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from telegram import Bot
from telegram.error import TelegramError

from articles.models import Media
from publishing import wire
from publishing.arguments import caption_of, is_photo, text_of
from publishing.models import Channel, Message
from publishing.outcomes import NotSent, Outcome, Refused, Unknown
from publishing.wire import WireRequest, new_client

# The library's own switch: moments of waiting are timedeltas already, as they will be in its next major version.
os.environ.setdefault("PTB_TIMEDELTA", "true")


def wire_request() -> WireRequest:
    """A request with a client of its own, for who asks again and again from an event loop of his own."""
    return WireRequest(new_client())


def bot(token: str, request: WireRequest, updates: WireRequest | None = None) -> Bot:
    """A bot at the configured server."""
    return Bot(
        token,
        base_url=f"{settings.TELEGRAM_API_BASE_URL}/bot",
        base_file_url=f"{settings.TELEGRAM_API_BASE_URL}/file/bot",
        request=request,
        get_updates_request=updates or request,
    )


# What a call makes of a bot, once it is connected.
Call = Callable[[Bot], Coroutine[Any, Any, object]]


def call(token_env: str, make: Call, limit: timedelta | None = None) -> WireRequest | None:
    """Make one call with the token the variable holds; what came over the wire. None if there is no such token.

    It is given up after `limit`, which is `time_limit()` if nothing else is said.
    """
    token = settings.TELEGRAM_TOKENS.get(token_env, "")
    if not token:
        return None
    line = wire.line()
    request = WireRequest(line.client())
    # What the library makes of a reply doesn't matter: the verdict comes from the reply itself.
    with suppress(TelegramError, TimeoutError, ValueError, TypeError, KeyError):
        line.call(make(bot(token, request)), limit or time_limit())
    return request


def time_limit() -> timedelta:
    """How long a call takes at the most: the way out and the reply."""
    return timedelta(seconds=2 * settings.TELEGRAM_TIMEOUT)


def no_token(token_env: str) -> NotSent:
    return NotSent(_("The bot's token is missing: set %(name)s.") % {"name": token_env})


@dataclass(frozen=True)
class Me:
    """Telegram knows the token; this is its bot."""

    username: str


def who_am_i(token_env: str) -> Me | Outcome:
    """Ask Telegram about a token (getMe): the bot, or what the lack of an answer proves."""
    request = call(token_env, lambda asked: asked.get_me())
    if request is None:
        return no_token(token_env)
    match request.result():
        case {"username": str(username)}:
            return Me(username)
    return request.outcome()


@dataclass(frozen=True)
class Post:
    """A post of a channel as it arrived in the audit chat, where it has this number."""

    number: int
    text: str


def forward(channel: Channel, number: int) -> Post | Outcome:
    """Forward the post with this number to the channel's audit chat, without a sound."""
    request = call(
        channel.token_env,
        lambda sender: sender.forward_message(
            channel.audit_chat_id, from_chat_id=channel.chat_id, message_id=number, disable_notification=True
        ),
    )
    if request is None:
        return no_token(channel.token_env)
    match request.result():
        case {"message_id": int(probe), **post}:
            return Post(probe, str(post.get("text") or post.get("caption") or ""))
    return request.outcome()


def says_there_is_none(refusal: Refused) -> bool:
    """Whether a refusal says that there is no post with this number."""
    return any(words in refusal.reply for words in ("message to forward not found", "MESSAGE_ID_INVALID"))


def write_to(token_env: str, person: int, text: str) -> Outcome:
    """Write a plain text to a person who has started the bot."""
    request = call(token_env, lambda sender: sender.send_message(person, text))
    return no_token(token_env) if request is None else request.outcome()


def send_to(token_env: str, person: int, payload: Mapping[str, Any]) -> Outcome:
    """Send a text with its entities, as it is frozen in a payload, to a person who has started the bot."""
    request = call(token_env, partial(_send_text, str(person), payload))
    return no_token(token_env) if request is None else request.outcome()


def edit(token_env: str, chat_id: str, message_id: int, payload: Mapping[str, Any]) -> Outcome:
    """Let a post say what the payload says, in place; `Sent` also if it says so already.

    A post keeps its picture, or its lack of one: of a payload the words are taken, and they become the caption if the
    post is a picture. `Refused` tells why Telegram doesn't let it be changed.
    """
    outcome: Outcome = no_token(token_env)
    for words in (caption_of, text_of) if is_photo(payload) else (text_of, caption_of):
        request = call(token_env, partial(_edit, chat_id, message_id, words(payload)))
        outcome = no_token(token_env) if request is None else request.change(message_id)
        if not _says(outcome, "there is no text in the message", "there is no caption in the message"):
            break
    return outcome


async def _edit(chat_id: str, message_id: int, words: dict[str, Any], editor: Bot) -> object:
    change = editor.edit_message_caption if "caption" in words else editor.edit_message_text
    return await change(chat_id=chat_id, message_id=message_id, **words)


def delete(token_env: str, chat_id: str, message_id: int) -> Outcome:
    """Delete a post; `Sent` with its number once it is gone, also if somebody else was quicker.

    `Refused` tells why Telegram doesn't let it be deleted: bots may do that for 48 hours.
    """
    request = call(token_env, lambda remover: remover.delete_message(chat_id, message_id))
    return no_token(token_env) if request is None else request.change(message_id)


def _says(outcome: Outcome, *phrases: str) -> bool:
    """Whether Telegram has refused with one of these phrases."""
    return isinstance(outcome, Refused) and any(phrase in outcome.reply for phrase in phrases)


async def _send_text(chat_id: str, payload: Mapping[str, Any], sender: Bot) -> object:
    return await sender.send_message(chat_id, **text_of(payload))


async def _send_photo(chat_id: str, photo: bytes, payload: Mapping[str, Any], sender: Bot) -> object:
    return await sender.send_photo(chat_id, photo, filename=payload["media"], **caption_of(payload))


class TelegramTransport:
    """Sends to one Telegram channel. No secret is kept in it, so that nobody can print one."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    @property
    def time_limit(self) -> timedelta:
        return time_limit()

    def send(self, message: Message) -> Outcome:
        chat, number = self.channel.chat_id, message.message_id
        match message.action:
            case Message.Action.EDIT if number is not None:
                return edit(self.channel.token_env, chat, number, message.payload)
            case Message.Action.DELETE if number is not None:
                return delete(self.channel.token_env, chat, number)
        return self._post(message.payload)

    def _post(self, payload: Mapping[str, Any]) -> Outcome:
        """Send the payload. What Telegram refuses as a picture goes out as text: a picture never keeps words back."""
        ends_at = time.monotonic() + self.time_limit.total_seconds()
        photo = Media.objects.body_of(payload["media"]) if is_photo(payload) else None
        if photo is not None:
            outcome = self._call(partial(_send_photo, self.channel.chat_id, photo, payload), self.time_limit)
            if not isinstance(outcome, Refused):
                return outcome
        left = timedelta(seconds=ends_at - time.monotonic())
        if left < self.time_limit / 2:
            return NotSent(_("Telegram took long to refuse the picture. It will be tried again."))
        return self._call(partial(_send_text, self.channel.chat_id, payload), left)

    def _call(self, make: Call, limit: timedelta) -> Outcome:
        request = call(self.channel.token_env, make, limit)
        return no_token(self.channel.token_env) if request is None else request.outcome()

    def find(self, message: Message) -> Outcome:
        """Telegram has no way to ask whether a message was sent; the reconciler looks for it later."""
        return Unknown(_("The program stopped while the post was on its way, so it may or may not be in the channel."))
