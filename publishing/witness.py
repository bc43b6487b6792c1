"""A witness beside the database: how far it had come when this machine last sent from it.

A database that is overwritten in place with an older copy of itself can't tell. But it has counted fewer attempts
to send than the witness below VAR_DIR remembers, and that is what gives it away. The counter is the database's own
(a sequence), so it doesn't fall when rows are deleted.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
from dataclasses import dataclass
from functools import cached_property
from io import FileIO
from pathlib import Path

from django.conf import settings
from django.db import connection

from publishing.local_files import opened
from publishing.models import Attempt, DeliveryAttempt

logger = logging.getLogger(__name__)

# In bytes, of any two numbers of a database. A file of one length is written over in its place: one that is emptied
# first is lost if the machine goes down, and some file systems flush it to the disk each time.
LENGTH = 42


@dataclass(frozen=True, order=True)
class Memory:
    """How far a database had come: the epoch of its installation, and how many attempts to send it had counted."""

    epoch: int
    attempts: int


@dataclass(frozen=True)
class Witness:
    """Knows the database with this fingerprint. What it remembers never goes back."""

    fingerprint: str

    @cached_property
    def path(self) -> Path:
        name = hashlib.sha256(self.fingerprint.encode()).hexdigest()[:16]
        return Path(settings.VAR_DIR, "witness", name)

    def recall(self) -> Memory | None:
        """What is remembered; None if this machine has not sent from the database yet."""
        try:
            with self.path.open("rb", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_SH)
                return _read(file)
        except FileNotFoundError:
            return None
        except OSError as error:
            logger.warning("It can't be read how far the database had come: %s", error)
            return None

    def remember(self, memory: Memory) -> None:
        """Note how far the database has come. Where nothing can be written, a warning says so, and posts go out."""
        try:
            with opened(self.path) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                known = _read(file)
                if known is None or known < memory:
                    file.seek(0)
                    file.write((b"%d %d\n" % (memory.epoch, memory.attempts)).ljust(LENGTH))
        except OSError as error:
            logger.warning("It can't be noted how far the database has come: %s", error)


def _read(file: FileIO) -> Memory | None:
    """What the file says; nothing if a machine that went down has left half of it."""
    match file.read().split():
        case [epoch, attempts] if epoch.isdigit() and attempts.isdigit():
            return Memory(int(epoch), int(attempts))
    return None


def attempts_counted() -> int:
    """How many attempts to send this database has counted, to channels and to subscribers, whether their rows are there
    or not.
    """
    with connection.cursor() as cursor:
        cursor.execute(COUNTED[connection.vendor])
        return int(cursor.fetchone()[0] or 0)


TO_CHANNELS, TO_SUBSCRIBERS = Attempt._meta.db_table, DeliveryAttempt._meta.db_table
# The last numbers that both tables have given away. A sequence of PostgreSQL stands at 1 before the first one is taken,
# which has always been counted for channels.
COUNTED = {
    "sqlite": f"SELECT SUM(seq) FROM sqlite_sequence WHERE name IN ('{TO_CHANNELS}', '{TO_SUBSCRIBERS}')",  # noqa: S608
    "postgresql": f"""
        SELECT channels.last_value + CASE WHEN subscribers.is_called THEN subscribers.last_value ELSE 0 END
        FROM {TO_CHANNELS}_id_seq AS channels, {TO_SUBSCRIBERS}_id_seq AS subscribers
    """,  # noqa: S608
}
