"""How the fetcher connects: to vetted addresses only, and always on the clock.

A host name is resolved once, each of its addresses is judged, and the connection goes to a judged address: a name that
resolves differently a moment later cannot lead us astray. It happens at each connection, hence at each redirect.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterable
from contextvars import ContextVar
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpcore
import httpx
from django.conf import settings

# When the request that this thread is making must be over, on the monotonic clock.
deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))

# Connections of one process, all servers together.
MAX_CONNECTIONS = 32

# How long an idle connection is kept for the next request to the same server, in seconds.
KEEP_ALIVE = 15.0

# Addresses that look public and are not: Azure's metadata service, and IPv6 prefixes that carry an IPv4 address.
CLOUD_METADATA = ip_address("168.63.129.16")
NAT64 = ip_network("64:ff9b::/96")


class ForbiddenAddress(Exception):
    """The host has no address that the fetcher may connect to."""


class UnknownHost(Exception):
    """The host's name resolves to nothing."""


def _carried(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a translating or tunnelling IPv6 address stands for."""
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet: no private, loopback, link-local or metadata address."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address) and (carried := _carried(parsed)):
        return is_public(str(carried))
    return parsed.is_global and not parsed.is_multicast and parsed != CLOUD_METADATA


def may_reach(address: str) -> bool:
    """Whether the fetcher may connect to an IP address. FETCH_ALLOW_PRIVATE opens all of them."""
    return settings.FETCH_ALLOW_PRIVATE or is_public(address)


def resolve(host: str, port: int) -> list[str]:
    """The IP addresses of a host, in the system's order. Raises UnknownHost."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label that is empty or too long for IDNA
        raise UnknownHost(host) from error
    return list(dict.fromkeys(str(info[4][0]) for info in found))


def time_left(timeout: float | None, expired: type[httpcore.TimeoutException]) -> float:
    """Seconds that one step may take: its own timeout, cut by the deadline of the whole. Raises `expired` after it."""
    left = deadline.get() - time.monotonic()
    if left <= 0:
        raise expired("the deadline has passed")
    return left if timeout is None else min(left, timeout)


class TimedStream(httpcore.NetworkStream):
    """A connection whose every read and write ends by the deadline of the request that uses it."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, time_left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, time_left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: object, server_hostname: str | None = None, timeout: float | None = None
    ) -> TimedStream:
        left = time_left(timeout, httpcore.ConnectTimeout)
        return TimedStream(self._stream.start_tls(ssl_context, server_hostname, left))  # type: ignore[arg-type]

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


class VettedBackend(httpcore.NetworkBackend):
    """Connects to the first address of a host that may be reached and answers."""

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> TimedStream:
        addresses = [address for address in resolve(host, port) if may_reach(address)]
        failure: httpcore.NetworkError | httpcore.TimeoutException | None = None
        for address in addresses:
            left = time_left(timeout, httpcore.ConnectTimeout)
            try:
                return TimedStream(self._backend.connect_tcp(address, port, left, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or ForbiddenAddress(host)


class VettedTransport(httpx.HTTPTransport):
    """httpx's transport over one pool of vetted, timed connections, without anything from the environment."""

    def __init__(self) -> None:
        context = httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False)
        # httpx has no parameter for the network backend of its pool.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE,
            network_backend=VettedBackend(),
        )


_opening = threading.Lock()


@cache
def _open_transport() -> VettedTransport:
    return VettedTransport()


def transport() -> VettedTransport:
    """The one transport of this process; the lock because `cache` alone lets two threads open one each."""
    with _opening:
        return _open_transport()


# A forked child must not talk on its parent's connections.
os.register_at_fork(after_in_child=_open_transport.cache_clear)
