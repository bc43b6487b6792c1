"""Connections on the clock: whatever one request does on the network, it is over by the request's deadline.

httpx bounds each step (connecting, one read, one write), not the whole: a server that drips a byte at a time keeps a
caller for ever. Here every step gets what is left of the whole.
"""

from __future__ import annotations

import os
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import cache
from typing import Any, TypeVar

import httpcore2
import httpx2

# When the request that runs in this context must be over, by `time.monotonic`.
deadline: ContextVar[float] = ContextVar("deadline_of_request", default=float("inf"))

Thing = TypeVar("Thing")


def time_left(timeout: float | None, expired: type[httpcore2.TimeoutException]) -> float:
    """Seconds one step may take: its own timeout, cut by the deadline of the whole. Raises `expired` after it."""
    left = deadline.get() - time.monotonic()
    if left <= 0:
        raise expired("the deadline has passed")
    return left if timeout is None else min(left, timeout)


class TimedStream(httpcore2.NetworkStream):
    """A connection on which no read or write lasts beyond the deadline of the request that uses it."""

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
    """Connects as the system does, on the clock."""

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


class TimedTransport(httpx2.HTTPTransport):
    """httpx2's transport over one pool of timed connections, without anything from the environment.

    `keep_alive` is how long an idle connection is kept for the next request to the same server, in seconds.
    """

    def __init__(self, backend: TimedBackend, *, max_connections: int, keep_alive: float) -> None:
        context = httpx2.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False)
        # httpx2 has no parameter for the network backend of its pool.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context,
            max_connections=max_connections,
            keepalive_expiry=keep_alive,
            network_backend=backend,
        )


def one_per_process(make: Callable[[], Thing]) -> Callable[[], Thing]:
    """What `make` makes, once for all threads; a forked child makes its own and never talks on its parent's."""
    opening, made = threading.Lock(), cache(make)

    def get() -> Thing:
        with opening:  # `cache` alone lets two threads make one each
            return made()

    os.register_at_fork(after_in_child=made.cache_clear)
    return get
