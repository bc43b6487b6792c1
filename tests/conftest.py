"""Fixtures that every test may use, and the wall around all of them: no test reaches beyond the loopback."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Collection, Iterator
from typing import Any

import pytest
from django.core.cache import cache

from tests import migrated, servers

NAMED_LOOPBACK = {"localhost", "", None}
# The suite's own database, or leave to make another one.
DATABASE_FIXTURES = {"db", "transactional_db", "databases_of_their_own", "newsroom", "empty_database"}


class NetworkBlocked(RuntimeError):
    """A test tried to reach another machine."""


def is_loopback(host: Any) -> bool:
    """Whether a host (a name, an address, or nothing, which listens) is this machine."""
    if isinstance(host, bytes):
        host = host.decode()
    if host in NAMED_LOOPBACK:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def guard(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: it sees every connection and every look-up of a name that Python makes, whoever makes it."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in {"socket.connect", "socket.sendto"} and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if not is_loopback(host):
        raise NetworkBlocked(f"{event}: {host}")


sys.addaudithook(guard)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On the second database leave out what has shown all it can on the first: tests that need no database."""
    if not migrated.is_on_server():
        return
    config.hook.pytest_deselected(items=[item for item in items if not _needs_a_database(item)])
    items[:] = filter(_needs_a_database, items)


def _needs_a_database(item: pytest.Item) -> bool:
    if item.get_closest_marker("either_database"):
        return False
    fixtures: Collection[str] = getattr(item, "fixturenames", ())
    return item.get_closest_marker("django_db") is not None or not DATABASE_FIXTURES.isdisjoint(fixtures)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Before Django looks for the database of the tests, it is there already."""
    migrated.make_suites_own()


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    return True


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    """No test sees what another has cached."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(scope="session")
def broker_url() -> Iterator[str]:
    """The URL of a private Redis-compatible server."""
    with servers.broker() as url:
        yield url
