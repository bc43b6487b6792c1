"""Fixtures of the articles' tests: a server that feeds come from, and sources on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from articles.models import Source
from tests.factories import SourceFactory
from tests.fakes.feed_server import FeedServer


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
