"""The story of a backup: it counts only after it has been read back, restored and compared."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import IO

import psycopg
from django.utils import timezone

from usage.models import Alert
from warandpeace.backups import encryption, shelf
from warandpeace.backups.encryption import Identity, Recipient
from warandpeace.backups.engines import Engine, configured
from warandpeace.backups.errors import BackupError, NoSpace
from warandpeace.backups.manifest import Manifest
from warandpeace.backups.models import Backup
from warandpeace.backups.proof import Proof, differences, told

ALERT = ("backup_failed", "database")
SCRATCH = "proving"
# What a full or broken disk, a server that goes away, or a file that is no database say.
TROUBLE = (OSError, psycopg.Error, sqlite3.Error)

Say = Callable[[str], object]


def back_up(say: Say) -> Manifest:
    """Make a verified backup of the configured database; what is older than wanted goes.

    Raises Busy if one is at work; any other BackupError is an alert and, unless none was begun for want of room, in the
    rows as well. So the next look finds one due as soon as there is room.
    """
    with shelf.locked() as folder:
        Backup.objects.interrupt()
        _check_room(folder)
        row = Backup.objects.create(name=f"{timezone.now():%Y%m%d-%H%M%S-%f}"[:-3])
        try:
            manifest = _make(row, folder, say)
        except (BackupError, *TROUBLE) as error:
            row.end(Backup.State.FAILED, error=str(error))
            Alert.sound(*ALERT, str(error))
            if isinstance(error, BackupError):
                raise
            raise BackupError(f"The backup failed: {error}.") from error
        row.end(Backup.State.VERIFIED, size=manifest.size, rows=manifest.rows, is_encrypted=manifest.is_encrypted)
        Alert.is_over(*ALERT)
        _retire(say)
        return manifest


def _check_room(folder: Path) -> None:
    """Raises NoSpace unless there is room for the backup, and for the scratch database that proves it."""
    engine = configured()
    size = engine.size()
    try:
        shelf.check_room({**engine.room(size), folder: size + engine.room(size).get(folder, 0)})
    except NoSpace as error:
        Alert.sound(*ALERT, str(error))
        raise


def _make(row: Backup, folder: Path, say: Say) -> Manifest:
    engine, readers = configured(), encryption.recipients()
    engine.check_programs(0)
    with shelf.unfinished(row.name) as hidden:
        key = encryption.passing_key()
        say(f"Copying {engine.name} ({engine.size() >> 20:,} MB) …")
        manifest = _write(engine, hidden, row, [*readers, key.to_public()] if readers else [])
        manifest.write(hidden)
        say(f"Restoring {manifest.rows:,} rows into a scratch database to compare them …")
        _verify(engine, hidden, manifest, [key])
        shelf.publish(hidden)
    return manifest


def _write(engine: Engine, folder: Path, row: Backup, readers: list[Recipient]) -> Manifest:
    path = folder / (engine.payload + (".age" if readers else ""))
    with engine.snapshot() as snapshot, path.open("xb") as file:
        path.chmod(0o600)
        hashing = Hashing(file)
        encryption.encrypt(snapshot.dump, hashing, readers)
    return Manifest(
        name=row.name,
        created_at=row.started_at,
        engine=engine.kind,
        server_version=engine.version(),
        database=engine.name,
        migrations=snapshot.migrations,
        tables=snapshot.tables,
        payload=path.name,
        size=hashing.size,
        checksum=hashing.digest.hexdigest(),
        is_encrypted=bool(readers),
    )


class Hashing:
    """Writes a file, and knows what was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest, self.size = file, sha256(), 0

    def write(self, data: bytes, /) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


def _verify(engine: Engine, folder: Path, manifest: Manifest, keys: list[Identity]) -> None:
    """Raise BackupError unless the very file, read back from the disk, becomes the same rows."""
    scratch = engine.beside(SCRATCH)
    try:
        fill(scratch, manifest.check_payload(folder), manifest, keys)
    finally:
        scratch.drop()


def fill(database: Engine, path: Path, manifest: Manifest, keys: list[Identity]) -> Proof:
    """Restore a backup's file into a new database and compare. Raises BackupError where a table differs."""
    database.create()
    with path.open("rb") as file, database.load() as writer:
        encryption.decrypt(file, writer, keys, is_encrypted=manifest.is_encrypted)
    found = database.proof()
    if wrong := differences(manifest.tables, found):
        raise BackupError(f"What was restored is not what was backed up: {told(wrong)}.")
    return found


def _retire(say: Say) -> None:
    now = timezone.now()
    for folder in shelf.outlived(now):
        shelf.remove(folder)
        Backup.objects.filter(name=folder.name).update(removed_at=now)
        say(f"Removed {folder.name}: it was older than wanted.")
