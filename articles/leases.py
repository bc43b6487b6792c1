"""What each process has taken, noted beside the database: what the dead leave behind need not wait for its lease.

A process keeps a file below VAR_DIR/leases and holds its lock. The kernel gives up the lock when the process ends, in
whatever way, and keeps it while the process is only slow or stopped. So whoever finds a file that nobody holds makes
due what is noted there, and of the living what they note as broken off, because the database went away under it. The
lease stays the fence: only rows that still have it are touched. Where nothing can be noted, and for processes of other
machines, leases run out as they always do.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from io import FileIO
from pathlib import Path
from typing import IO, Any

from django.apps import apps
from django.conf import settings
from django.db import Error
from django.db.models import QuerySet
from django.utils import timezone

logger = logging.getLogger(__name__)

# Of notes, in bytes, unless more of them count: what is dropped has run out, or was followed by another on its row.
LARGEST = 1 << 16
TAKEN, BROKEN = "taken", "broken"
BROKEN_LINE = f" {BROKEN}\n".encode()

# Rows by their keys, and the leases under which they were taken.
Taken = set[tuple[int, datetime]]


@dataclass(frozen=True)
class Note:
    """A row of a model (`app.model`), which is taken until `lease` (aware), or was broken off."""

    model: str
    pk: int
    lease: datetime
    state: str = TAKEN

    def line(self) -> bytes:
        return f"{self.model} {self.pk} {self.lease.isoformat()} {self.state}\n".encode()

    @classmethod
    def read(cls, lines: Iterable[bytes]) -> Iterator[Note]:
        """The notes of leases that still run; what was written by halves is passed over."""
        now = timezone.now()
        for line in lines:
            with suppress(ValueError, LookupError):
                model, pk, lease, state = line.decode().split()
                apps.get_model(model)
                note = cls(model, int(pk), datetime.fromisoformat(lease), state)
                if timezone.is_aware(note.lease) and note.lease > now:
                    yield note


class Notebook:
    """The notes of one process, which are its own as long as it lives. A forked child begins a new one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_hand = threading.local()
        self._file: FileIO | None = None
        self._full_at = LARGEST
        self._pid = 0

    def take(self, *notes: Note) -> None:
        """Note what this thread has in hand from now on."""
        self._in_hand.notes = notes
        self._write(notes)

    @contextmanager
    def given_back(self) -> Iterator[None]:
        """What is taken inside, and broken off because the database went away, is due with the next sweep."""
        self._in_hand.notes = ()
        try:
            yield
        except Error:
            if broken := [replace(note, state=BROKEN) for note in self._in_hand.notes]:
                self._write(broken)
            raise

    def _write(self, notes: Iterable[Note]) -> None:
        """Where nothing can be written a warning says so, and the lease is left to run out."""
        try:
            with self._lock:
                file = self._opened()
                if file.tell() > self._full_at:
                    # Twice what had to stay, so that each note is copied once or twice, however many there are.
                    self._full_at = max(LARGEST, 2 * _shorten(file))
                file.write(b"".join(note.line() for note in notes))
        except OSError as error:
            logger.warning("It can't be noted what this process has taken: %s", error)

    def close(self) -> None:
        """Give the notes up, as the end of the process does."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> FileIO:
        if self._pid != os.getpid():
            self.close()
        if self._file is None:
            self._file, self._full_at, self._pid = _new_file(), LARGEST, os.getpid()
        return self._file


def _folder() -> Path:
    return Path(settings.VAR_DIR, "leases")


def _new_file() -> FileIO:
    """A file that nobody sees before it is locked."""
    _folder().mkdir(parents=True, exist_ok=True)
    path = _folder() / uuid.uuid4().hex
    hidden = path.with_name(f".{path.name}")
    file = hidden.open("wb+", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        hidden.rename(path)
    except OSError:
        file.close()
        hidden.unlink(missing_ok=True)
        raise
    return file


def _shorten(file: FileIO) -> int:
    """Leave the notes that count; their size."""
    file.seek(0)
    newest = {(note.model, note.pk): note for note in Note.read(file.readall().splitlines())}
    file.seek(0)
    file.truncate()
    file.write(b"".join(note.line() for note in newest.values()))
    return file.tell()


mine = Notebook()


def release() -> int:
    """Make due what this machine's processes have left under a lease; how many rows. No query if they left nothing."""
    return sum(_release(path) for path in _folder().glob("[!.]*"))


def _release(path: Path) -> int:
    try:
        with path.open("rb") as file:
            is_dead = _is_free(file)
            lines: Iterable[bytes] = file if is_dead else (line for line in file if line.endswith(BROKEN_LINE))
            released = _make_due(Note.read(lines))
            if is_dead:
                path.unlink(missing_ok=True)
            return released
    except OSError:
        # Somebody else has just seen to it.
        return 0


def _is_free(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _make_due(notes: Iterable[Note]) -> int:
    by_model: defaultdict[str, Taken] = defaultdict(set)
    for note in notes:
        by_model[note.model].add((note.pk, note.lease))
    managers: dict[str, Any] = {model: apps.get_model(model)._default_manager for model in by_model}
    return sum(managers[model].release(taken) for model, taken in by_model.items())


def make_due(rows: QuerySet[Any], taken: Taken, column: str) -> int:
    """Make those of the rows due whose column still has the lease under which they were taken; how many.

    For the verb `release` of the querysets whose models are noted.
    """
    now = timezone.now()
    ahead = rows.filter(pk__in=[pk for pk, _lease in taken], **{f"{column}__gt": now})
    left = taken.intersection(ahead.values_list("pk", column))
    return sum(rows.filter(pk=pk, **{column: lease}).update(**{column: now}) for pk, lease in left)
