"""How the client of language models reaches their servers: bounded in time and size, without proxies or redirects."""

from __future__ import annotations

import os
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from functools import cache
from typing import Any

import httpcore2
import httpx2

MAX_BYTES = 4_000_000  # of an answer; a summary has a few thousand
MAX_CONNECTIONS = 100
KEEP_ALIVE = 30.0  # seconds

# When the call that runs in this context must be over, by `time.monotonic`.
deadline: ContextVar[float] = ContextVar("deadline_of_llm_call")


class TooLarge(httpx2.TransportError):
    """The answer is longer than we read."""


def time_left(timeout: float | None, expired: type[httpcore2.TimeoutException]) -> float:
    """Seconds one step may take: its own timeout, cut by the deadline of the whole call. Raises `expired` after it."""
    left = deadline.get() - time.monotonic()
    if left <= 0:
        raise expired("the deadline has passed")
    return left if timeout is None else min(left, timeout)


class TimedStream(httpcore2.NetworkStream):
    """A connection on which no read or write lasts beyond the deadline: a server that drips is left in time."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, time_left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, time_left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> TimedStream:
        left = time_left(timeout, httpcore2.ConnectTimeout)
        return TimedStream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class TimedBackend(httpcore2.NetworkBackend):
    def __init__(self) -> None:
        self._backend = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> TimedStream:
        left = time_left(timeout, httpcore2.ConnectTimeout)
        return TimedStream(self._backend.connect_tcp(host, port, left, local_address, socket_options))


class BoundedBody(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        length = 0
        for piece in self._stream:
            length += len(piece)
            if length > MAX_BYTES:
                raise TooLarge(f"more than {MAX_BYTES} bytes")
            yield piece

    def close(self) -> None:
        self._stream.close()


class BoundedTransport(httpx2.HTTPTransport):
    """httpx2's transport over one pool of timed connections, without anything from the environment."""

    def __init__(self) -> None:
        context = httpx2.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False)
        # httpx2 has no parameter for the network backend of its pool.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context,
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE,
            network_backend=TimedBackend(),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        # Unpacked it might be a thousand times as long; texts of this size need no compression.
        request.headers["Accept-Encoding"] = "identity"
        response = super().handle_request(request)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            response.close()
            raise TooLarge("compressed, though that was not asked for")
        assert isinstance(response.stream, httpx2.SyncByteStream)  # noqa: S101  narrows the type
        response.stream = BoundedBody(response.stream)
        return response


_opening = threading.Lock()


@cache
def _open_client() -> httpx2.Client:
    return httpx2.Client(transport=BoundedTransport(), trust_env=False, follow_redirects=False)


def client() -> httpx2.Client:
    """The one HTTP client of this process; the lock because `cache` alone lets two threads open one each."""
    with _opening:
        return _open_client()


# A forked child must not talk on its parent's connections.
os.register_at_fork(after_in_child=_open_client.cache_clear)
