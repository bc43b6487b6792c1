"""What each process keeps for a few seconds, by a clock that nobody can set."""

from __future__ import annotations

import time
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache


class Local(LocMemCache):
    """Django's cache in memory; what is in it expires by the monotonic clock.

    By the wall clock an answer would be kept for an hour too long where that is set back by an hour.
    """

    def get_backend_timeout(self, timeout: Any = DEFAULT_TIMEOUT) -> float | None:
        """When something expires that is kept for so many seconds; None for never."""
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        return None if seconds is None else time.monotonic() + seconds

    def _has_expired(self, key: str) -> bool:
        expires = self._expire_info.get(key, -1.0)  # type: ignore[attr-defined]  # its stubs lack it
        return expires is not None and expires <= time.monotonic()
