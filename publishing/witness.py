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
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connection
from django.db.models import Model

from publishing.models import Attempt, DeliveryAttempt

logger = logging.getLogger(__name__)


@dataclass(frozen=True, order=True)
class Memory:
    """How far a database had come: the epoch of its installation, and how many attempts to send it had counted."""

    epoch: int
    attempts: int


@dataclass(frozen=True)
class Witness:
    """Knows the database with this fingerprint. What it remembers never goes back."""

    fingerprint: str

    @property
    def path(self) -> Path:
        name = hashlib.sha256(self.fingerprint.encode()).hexdigest()[:16]
        return Path(settings.VAR_DIR, "witness", name)

    def recall(self) -> Memory | None:
        """What is remembered; None if this machine has not sent from the database yet."""
        try:
            with self.path.open() as file:
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
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(0)
                known = _read(file)
                if known is None or known < memory:
                    file.truncate(0)
                    file.write(f"{memory.epoch} {memory.attempts}\n")
        except OSError as error:
            logger.warning("It can't be noted how far the database has come: %s", error)


def _read(file: IO[str]) -> Memory | None:
    """What the file says; nothing if a machine that went down has left half of it."""
    match file.read().split():
        case [epoch, attempts] if epoch.isdecimal() and attempts.isdecimal():
            return Memory(int(epoch), int(attempts))
    return None


def attempts_counted() -> int:
    """How many attempts to send this database has counted, to channels and to subscribers, whether their rows are there
    or not.
    """
    return _counted(Attempt, unused=1) + _counted(DeliveryAttempt, unused=0)


def _counted(model: type[Model], *, unused: int) -> int:
    """The last number the table has given away; PostgreSQL's sequences stand at `unused` before the first."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sequence = connection.ops.quote_name(f"{table}_id_seq")
            cursor.execute(f"SELECT CASE WHEN is_called THEN last_value ELSE %s END FROM {sequence}", [unused])  # noqa: S608
        else:
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
    return int(row[0]) if row else 0
