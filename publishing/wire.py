"""The wire to the Bot API: connections that are used again, and what came over them, below the library's own errors.

A call waits in the caller's thread and is made in the process's one event loop, so that all threads share the
connections and none pays for a loop of its own.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import ssl
import threading
import time
from collections.abc import Coroutine
from datetime import timedelta
from functools import cache
from typing import Any

import httpx
from django.conf import settings
from telegram._utils.defaultvalue import DefaultValue
from telegram.error import NetworkError
from telegram.request import BaseRequest, RequestData

from articles.metrics import http_duration, http_requests
from publishing import verdicts
from publishing.outcomes import Outcome

MASK = b"[token]"
# Connections at a time: threads of one process that call at once wait for each other beyond that.
MOST_CONNECTIONS = 16
# How long an idle connection is kept, in seconds: long enough for the next post of a channel, and much shorter than
# servers do, so that a call never meets a connection that is just being closed.
KEPT_FOR = 5.0
# At the end of the process, in seconds.
LONGEST_GOODBYE = 2.0


class WireRequest(BaseRequest):
    """One call of the library's, which keeps what came over the wire: a reply, or the cause of its absence.

    A proxy's page may quote the address it was asked for, and the library logs and raises what it can't read. So the
    token is taken out of a reply before anybody else sees it.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.reply: tuple[int, bytes] | None = None
        self.cause: BaseException | None = None

    @property
    def read_timeout(self) -> float | None:
        return self.client.timeout.read

    async def initialize(self) -> None:
        """The client needs no preparation."""

    async def shutdown(self) -> None:
        await self.client.aclose()

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *timeouts: Any, **named_timeouts: Any
    ) -> tuple[int, bytes]:
        """Make the request; the reply's status and body. Raises NetworkError where no reply came."""
        started, status_group = time.monotonic(), "error"
        try:
            response = await self.client.request(
                method,
                url,
                headers={"User-Agent": self.USER_AGENT},
                timeout=self._timeout(**named_timeouts),
                data=request_data.json_parameters if request_data else None,
                files=request_data.multipart_data if request_data else None,
            )
            status_group = f"{response.status_code // 100}xx"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self.cause = error
            raise NetworkError(type(error).__name__) from error
        finally:
            http_duration.labels("telegram").observe(time.monotonic() - started)
            http_requests.labels("telegram", "POST", status_group).inc()
        self.reply = response.status_code, response.content.replace(_secret_part(url), MASK)
        return self.reply

    def _timeout(self, **asked: Any) -> httpx.Timeout:
        """The client's own times, and what the library asks for instead, such as a long poll's."""
        own = self.client.timeout.as_dict()
        other = {name.removesuffix("_timeout"): value for name, value in asked.items()}
        return httpx.Timeout(**own | {name: value for name, value in other.items() if not _is_default(value)})

    def outcome(self) -> Outcome:
        """What the last call has proved."""
        return verdicts.of_failure(self.cause) if self.reply is None else verdicts.of_reply(*self.reply)

    def change(self, number: int) -> Outcome:
        """What the last call, which was to edit or delete the post with this number, has proved."""
        return verdicts.of_failure(self.cause) if self.reply is None else verdicts.of_change(*self.reply, number)

    def result(self) -> Any:
        """What Telegram has answered to a call that went well; None if it didn't."""
        return None if self.reply is None else verdicts.result_of(self.reply[1])


def _is_default(value: Any) -> bool:
    return isinstance(value, DefaultValue)


def _secret_part(url: str) -> bytes:
    """The token in an address of the Bot API without the bot's number, which looks the same however it is quoted."""
    token = url.rpartition("/")[0].rpartition("/bot")[2]
    return (token.partition(":")[2] or token).encode()


@cache
def _trust() -> ssl.SSLContext:
    """Whom we trust, read once in a process: reading it costs more than everything else about a call."""
    return httpx.create_ssl_context()


def new_client() -> httpx.AsyncClient:
    """A client that waits TELEGRAM_TIMEOUT for the request's way out, the same for the reply, half of it to connect."""
    seconds = settings.TELEGRAM_TIMEOUT
    return httpx.AsyncClient(
        timeout=httpx.Timeout(seconds, connect=seconds / 2, pool=1),
        limits=httpx.Limits(max_connections=MOST_CONNECTIONS, keepalive_expiry=KEPT_FOR),
        verify=_trust(),
    )


class Line:
    """An event loop in a thread of its own, and clients whose connections are used again, by their patience."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.clients: dict[float, httpx.AsyncClient] = {}
        threading.Thread(target=self.loop.run_forever, name="telegram", daemon=True).start()
        atexit.register(self.close, os.getpid())

    def client(self) -> httpx.AsyncClient:
        patience = settings.TELEGRAM_TIMEOUT
        if patience not in self.clients:
            self.clients[patience] = new_client()
        return self.clients[patience]

    def call(self, making: Coroutine[Any, Any, object], limit: timedelta) -> None:
        """Make the call and wait for its end. Raises TimeoutError after `limit`, and what the call raises."""
        future = asyncio.run_coroutine_threadsafe(_within(limit, making), self.loop)
        try:
            future.result()
        finally:
            future.cancel()

    def close(self, owner: int) -> None:
        """Hang up, unless this is a copy of the line in a forked process."""
        if os.getpid() != owner:
            return
        closing = asyncio.run_coroutine_threadsafe(self._close_clients(), self.loop)
        closing.result(LONGEST_GOODBYE)
        self.loop.call_soon_threadsafe(self.loop.stop)

    async def _close_clients(self) -> None:
        for client in self.clients.values():
            await client.aclose()


async def _within(limit: timedelta, making: Coroutine[Any, Any, object]) -> None:
    async with asyncio.timeout(limit.total_seconds()):
        await making


_lock = threading.Lock()


@cache
def _line_of(process: int) -> Line:
    return Line()


def line() -> Line:
    """The line of this process; a forked one gets its own."""
    with _lock:
        return _line_of(os.getpid())
