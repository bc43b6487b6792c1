"""A doorbell rings after commit, and a broker that is away fails nobody."""

from __future__ import annotations

from typing import Any

import pytest
from kombu.exceptions import OperationalError

from usage.doorbell import ring

pytestmark = pytest.mark.django_db


class Bell:
    """A task that notes its calls, or whose broker is away."""

    name = "bell"

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.error = error

    def delay(self, *arguments: Any) -> None:
        if self.error:
            raise self.error
        self.calls.append(arguments)


def test_it_rings_only_once_the_rows_are_committed(django_capture_on_commit_callbacks: Any) -> None:
    bell: Any = Bell()

    with django_capture_on_commit_callbacks() as callbacks:
        ring(bell, 42)
    before = list(bell.calls)
    callbacks[0]()

    assert (before, bell.calls) == ([], [(42,)])


@pytest.mark.parametrize("error", [OperationalError("no broker"), ConnectionRefusedError(111, "refused")])
def test_a_broker_that_is_away_costs_a_line_in_the_log(
    error: Exception, django_capture_on_commit_callbacks: Any, caplog: pytest.LogCaptureFixture
) -> None:
    bell: Any = Bell(error)

    with django_capture_on_commit_callbacks(execute=True):
        ring(bell, 42)

    assert "doorbell bell not rung" in caplog.text
