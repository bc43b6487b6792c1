"""How often one server is asked: one request after another, a few at once, and none while it rests.

The pause and the rest hold for all processes together (`turns`), how many requests run at once for each. The machine we
run on is no stranger: it is asked as fast as it answers, and nobody else is told of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address

from django.conf import settings

from articles import turns

# Whoever would have to wait longer for a turn, in seconds, is sent away: a worker has other things to do.
LONGEST_WAIT = 15.0
# Hosts that were asked are remembered, so many of them; those that nobody waits for are forgotten first.
REMEMBERED = 5000


class TooLong(Exception):
    """The turn comes later than anybody should wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.0f} s")
        self.wait = timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Pace:
    """The pause between the beginnings of two requests, in seconds (None: the settings'), and how many run at once."""

    seconds: float | None = None
    connections: int | None = None


@dataclass
class _Host:
    """`free_at` is when the next request may begin, on the monotonic clock; `under_way` how many have not ended."""

    free_at: float = 0.0
    under_way: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)


_hosts: dict[tuple[str, int | None], _Host] = {}
_lock = threading.Lock()


@contextmanager
def turn(host: str, port: int | None, pace: Pace | None = None) -> Iterator[None]:
    """Wait until a host may be asked, and keep one of its places during the block. Raises TooLong."""
    seconds, connections = _wanted(host, pace or Pace())
    known = _known(host, port)
    deadline = time.monotonic() + LONGEST_WAIT
    _take_place(known, connections, deadline)
    try:
        _wait_for_turn(known, seconds, deadline)
        if not is_this_machine(host):
            _wait_for_others(_name(host, port), seconds, deadline)
        yield
    finally:
        with known.changed:
            known.under_way -= 1
            known.changed.notify()


def rest(host: str, port: int | None, span: timedelta) -> None:
    """Leave a host alone for a while, as it asked. Our own machine is not taken at its word: tests are there."""
    if not is_this_machine(host):
        known = _known(host, port)
        with known.changed:
            known.free_at = max(known.free_at, time.monotonic() + span.total_seconds())
        turns.rest(_name(host, port), span)


def is_this_machine(host: str) -> bool:
    """Whether a host is written as a loopback address or name."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _wanted(host: str, pace: Pace) -> tuple[float, int]:
    seconds = 0.0 if is_this_machine(host) else settings.FETCH_SECONDS_BETWEEN_REQUESTS
    return (
        seconds if pace.seconds is None else pace.seconds,
        pace.connections or (1000 if is_this_machine(host) else settings.FETCH_CONNECTIONS_PER_HOST),
    )


def _known(host: str, port: int | None) -> _Host:
    with _lock:
        if len(_hosts) >= REMEMBERED:
            now = time.monotonic()
            for key in [key for key, each in _hosts.items() if not each.under_way and each.free_at < now]:
                del _hosts[key]
        return _hosts.setdefault((host.lower(), port), _Host())


def _take_place(known: _Host, connections: int, deadline: float) -> None:
    with known.changed:
        while known.under_way >= connections:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TooLong(LONGEST_WAIT)
            known.changed.wait(left)
        known.under_way += 1


def _wait_for_turn(known: _Host, seconds: float, deadline: float) -> None:
    with known.changed:
        now = time.monotonic()
        begin = max(now, known.free_at)
        if begin > deadline:
            raise TooLong(begin - now)
        known.free_at = begin + seconds
    time.sleep(begin - now)


def _wait_for_others(server: str, seconds: float, deadline: float) -> None:
    left = max(0.0, deadline - time.monotonic())
    wait = turns.reserve(server, seconds, left)
    if wait > left:
        raise TooLong(wait)
    time.sleep(wait)


def _name(host: str, port: int | None) -> str:
    """How processes call a server. No host's name is longer than 253 characters (RFC 1035)."""
    return f"{host.lower()[:253]}:{port or ''}"
