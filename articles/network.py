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

# Where IPv6 has its public addresses: https://www.iana.org/assignments/ipv6-address-space
GLOBAL_UNICAST = ip_network("2000::/3")
# Prefixes of IPv6 that carry an IPv4 address behind them: translated (RFC 6052, RFC 2765) and compatible (RFC 4291).
CARRYING = [ip_network(prefix) for prefix in ("64:ff9b::/96", "::ffff:0:0:0/96", "::/96")]
# Addresses that look public and are not, some of them to older Pythons only: protocols' own, relays of 6to4, Azure's
# metadata service, documentation.
CLOSED = [ip_network(prefix) for prefix in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "3fff::/20")]

# Ports of other protocols, whose servers a request might be made to talk to: https://fetch.spec.whatwg.org/#bad-port
# fmt: off
NO_WEB_PORTS = frozenset({
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
    110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531,
    532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060,
    5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
})
# fmt: on


class ForbiddenAddress(Exception):
    """The host has no address that the fetcher may connect to."""


class UnknownHost(Exception):
    """The host's name resolves to nothing."""


def _carried(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a translating or tunnelling IPv6 address stands for."""
    if any(address in prefix for prefix in CARRYING):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet: no private, loopback, link-local or metadata address."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        if carried := _carried(parsed):
            return is_public(str(carried))
        if parsed not in GLOBAL_UNICAST:
            return False
    return parsed.is_global and not parsed.is_multicast and not any(parsed in network for network in CLOSED)


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
