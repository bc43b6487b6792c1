"""The newsroom's processes for end-to-end tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.endtoend.stack import Stack, database_url


@pytest.fixture
def start(tmp_path: Path, transactional_db: None) -> Iterator[Callable[..., Stack]]:
    """Starts the newsroom on the test database and waits until it answers; ends it after the test."""
    with ExitStack() as running:

        def begin(*, arguments: tuple[str, ...] = (), **options: str) -> Stack:
            environment = {"DATABASE_URL": database_url(), "SECRET_KEY": "only-for-tests" * 4} | options
            stack = Stack(tmp_path / "var", environment, arguments=arguments)
            return running.enter_context(stack).wait_until_ready()

        yield begin
