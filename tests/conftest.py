"""Fixtures that every test may use, and the wall around all of them: no test reaches beyond the loopback."""

from __future__ import annotations

import ipaddress
import sys
import time
from collections.abc import Collection, Iterator
from typing import Any

import pytest
from django.apps import AppConfig
from django.core.cache import cache
from django.db import connections
from django.db.models.signals import post_migrate

from articles.search.index import TABLE
from tests import migrated, servers

# Of those that ask what day it is, in seconds.
LONGEST_TEST = 10
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


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """No test begins right before a full hour, when a day may end: by its own end its today would be yesterday."""
    left = 3600 - time.time() % 3600
    if left < LONGEST_TEST:
        time.sleep(left)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Before Django looks for the database of the tests, it is there already."""
    migrated.make_suites_own()


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    return True


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """A test that commits empties all tables in the end; those after it find the database as migrations made it."""
    post_migrate.connect(make_as_new)
    yield
    post_migrate.disconnect(make_as_new)


def make_as_new(sender: AppConfig, using: str, plan: object = None, **_signal: object) -> None:
    """What emptying leaves out, after it. Only it has no plan: migrating may stop before these tables are there."""
    if plan is not None:
        return
    if sender.label == "usage":
        providers = sender.get_model("Provider")._default_manager.using(using)
        providers.get_or_create(name="extractive", defaults={"kind": "extractive", "priority": 1000})
    if sender.label == "articles":
        sender.get_model("ChangedText")._default_manager.using(using).all().delete()
        with connections[using].cursor() as cursor:
            cursor.execute(f"DELETE FROM {TABLE}")  # noqa: S608


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
