"""One sender per channel: a lock that lives exactly as long as its holder, even one that was stopped.

On PostgreSQL it belongs to the database session, on SQLite to an open file below VAR_DIR. Either way nobody has to
guess by the clock whether the holder still lives: who is killed loses the lock at once, who is stopped keeps it.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.db import Error, connection

from publishing.local_files import opened

# The first half of the advisory lock's key; the second is the channel.
NAMESPACE = 0x57_50_43

# Tells whether the lock is still there: a session that was cut off has lost it.
IsHeld = Callable[[], bool]


@contextmanager
def only_sender(channel_id: int) -> Iterator[IsHeld | None]:
    """Be the channel's only sender while inside; None, at once, if somebody else is."""
    lock = _session_lock if connection.vendor == "postgresql" else _file_lock
    with lock(channel_id) as is_held:
        yield is_held


@contextmanager
def _session_lock(channel_id: int) -> Iterator[IsHeld | None]:
    key = (NAMESPACE, channel_id % 2**31)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
        if not cursor.fetchone()[0]:
            yield None
            return
    session = connection.connection

    def is_held() -> bool:
        return connection.connection is session and not session.closed

    try:
        yield is_held
    finally:
        # A session that has ended took its lock along.
        if is_held():
            with suppress(Error), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)


@contextmanager
def _file_lock(channel_id: int) -> Iterator[IsHeld | None]:
    with opened(Path(settings.VAR_DIR, "locks", f"channel-{channel_id}")) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield lambda: True
