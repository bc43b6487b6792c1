"""What is kept for a moment is kept by a clock that nobody can set."""

from __future__ import annotations

import time

import pytest
from django.core.cache import cache


def test_a_clock_that_is_set_does_not_change_how_long_something_is_kept(monkeypatch):
    cache.set("answer", 42, timeout=30)
    now = time.time()

    monkeypatch.setattr(time, "time", lambda: now + 3600)

    assert cache.get("answer") == 42


def test_what_has_been_kept_for_its_time_is_forgotten(monkeypatch):
    cache.set("answer", 42, timeout=30)
    now = time.monotonic()

    monkeypatch.setattr(time, "monotonic", lambda: now + 31)

    assert cache.get("answer") is None


@pytest.mark.parametrize("timeout", [None, 30])
def test_what_is_kept_is_there(timeout):
    cache.set("answer", 42, timeout=timeout)

    assert cache.get("answer") == 42
