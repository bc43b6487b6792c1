"""Fixtures of the articles' tests: a server that feeds come from, and sources on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from articles import turns
from articles.models import Source
from tests.factories import SourceFactory
from tests.fakes.feed_server import FeedServer


@pytest.fixture(autouse=True)
def alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other process is asked when a server may be asked, but where that is what a test is about."""
    if "other_processes" not in request.fixturenames:
        monkeypatch.setattr(turns, "_asked", lambda _question, otherwise: otherwise)


@pytest.fixture
def other_processes(transactional_db: None) -> Iterator[None]:
    """Other processes are asked, by the thread that does so."""
    yield
    turns.close()


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with FeedServer() as running:
        yield running


@pytest.fixture
def source_of(server: FeedServer, db: None) -> Callable[..., Source]:
    """Serves a body and gives a source for it: `source_of(body, etag=..., source={"slug": ...})`."""
    number = 0

    def serve(body: bytes, *, source: dict[str, Any] | None = None, **answer: Any) -> Source:
        nonlocal number
        number += 1
        return SourceFactory(url=server.serve(f"/feed-{number}.xml", body, **answer), **source or {})

    return serve


@pytest.fixture
def manage(transactional_db: None) -> Callable[..., subprocess.Popen[str]]:
    """Starts `manage.py` in a process of its own, on the database of the tests: `manage("ingest")`."""
    database = connection.settings_dict
    url = f"sqlite:///{database['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = os.environ | {"TEST_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    return start
