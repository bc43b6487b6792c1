"""How the fetcher connects: to vetted addresses only, and always on the clock.

A host name is resolved once, each of its addresses is judged, and the connection goes to a judged address: a name that
resolves differently a moment later cannot lead us astray. It happens at each connection, hence at each redirect.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpcore2
from django.conf import settings

from usage.connections import TimedBackend, TimedStream, TimedTransport, one_per_process

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


class VettedBackend(TimedBackend):
    """Connects to the first address of a host that may be reached and answers."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> TimedStream:
        addresses = [address for address in resolve(host, port) if may_reach(address)]
        failure: httpcore2.NetworkError | httpcore2.TimeoutException | None = None
        for address in addresses:
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure or ForbiddenAddress(host)


@one_per_process
def transport() -> TimedTransport:
    """The one transport of this process."""
    return TimedTransport(VettedBackend(), max_connections=MAX_CONNECTIONS, keep_alive=KEEP_ALIVE)
