"""Telegram as a transport: one call of the Bot API a message, through python-telegram-bot.

What happened is read from the wire, below the library's own errors: those don't tell a connection that was never
made from a reply that was lost.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

import httpx
from django.conf import settings
from django.utils.translation import gettext as _
from telegram import Bot, LinkPreviewOptions, MessageEntity
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

from articles.metrics import http_duration, http_requests
from publishing import verdicts
from publishing.models import Channel, Message
from publishing.outcomes import NotSent, Outcome, Unknown

# The library's own switch: moments of waiting are timedeltas already, as they will be in its next major version.
os.environ.setdefault("PTB_TIMEDELTA", "true")

PATIENCE = timedelta(seconds=20)
MASK = b"[token]"


class WireRequest(HTTPXRequest):
    """The library's HTTP client, which also keeps what came over the wire: a reply, or the cause of its absence.

    A proxy's page may quote the address it was asked for, and the library logs and raises what it can't read. So the
    token is taken out of a reply before anybody else sees it.
    """

    reply: tuple[int, bytes] | None = None
    cause: BaseException | None = None

    async def do_request(self, url: str, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        started, status_group = time.monotonic(), "error"
        try:
            status, body = await super().do_request(url, *args, **kwargs)
            status_group = f"{status // 100}xx"
        except TelegramError as error:
            self.cause = error.__cause__
            raise
        except httpx.InvalidURL as error:
            self.cause = error
            raise
        finally:
            http_duration.labels("telegram").observe(time.monotonic() - started)
            http_requests.labels("telegram", "POST", status_group).inc()
        self.reply = status, body.replace(_secret_part(url), MASK)
        return self.reply

    def outcome(self) -> Outcome:
        """What the last call has proved."""
        return verdicts.of_failure(self.cause) if self.reply is None else verdicts.of_reply(*self.reply)


def wire_request(patience: timedelta = PATIENCE) -> WireRequest:
    """A client that waits at most `patience` for the request's way out and for the reply, half of it to connect."""
    seconds = patience.total_seconds()
    return WireRequest(
        connection_pool_size=1, connect_timeout=seconds / 2, write_timeout=seconds, read_timeout=seconds, pool_timeout=1
    )


def bot(token: str, request: WireRequest, updates: WireRequest | None = None) -> Bot:
    """A bot at the configured server."""
    return Bot(
        token,
        base_url=f"{settings.TELEGRAM_API_BASE_URL}/bot",
        base_file_url=f"{settings.TELEGRAM_API_BASE_URL}/file/bot",
        request=request,
        get_updates_request=updates or request,
    )


def _secret_part(url: str) -> bytes:
    """The token in an address of the Bot API without the bot's number, which looks the same however it is quoted."""
    token = url.rpartition("/")[0].rpartition("/bot")[2]
    return (token.partition(":")[2] or token).encode()


class TelegramTransport:
    """Sends to one Telegram channel. No secret is kept in it, so that nobody can print one."""

    def __init__(self, channel: Channel, patience: timedelta = PATIENCE) -> None:
        self.channel = channel
        self.patience = patience

    @property
    def time_limit(self) -> timedelta:
        return 2 * self.patience

    def send(self, message: Message) -> Outcome:
        token = settings.TELEGRAM_TOKENS.get(self.channel.token_env, "")
        if not token:
            return NotSent(_("The bot's token is missing: set %(name)s.") % {"name": self.channel.token_env})
        request = wire_request(self.patience)
        # What the library makes of a reply doesn't matter: the verdict comes from the reply itself.
        with suppress(TelegramError, TimeoutError, ValueError, KeyError):
            asyncio.run(self._call(token, request, message.payload))
        return request.outcome()

    def find(self, message: Message) -> Outcome:
        """Telegram has no way to ask whether a message was sent."""
        return Unknown(_("The program stopped while the post was on its way, so it may or may not be in the channel."))

    async def _call(self, token: str, request: WireRequest, payload: dict[str, Any]) -> None:
        async with asyncio.timeout(self.time_limit.total_seconds()), request:
            await bot(token, request).send_message(
                chat_id=self.channel.chat_id,
                text=payload["text"],
                entities=[MessageEntity(**entity) for entity in payload["entities"]],
                link_preview_options=LinkPreviewOptions(**payload["link_preview_options"]),
            )
