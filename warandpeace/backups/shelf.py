"""The folder of the backups: what is there, who works in it, what may go, and whether there is room."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from warandpeace.backups.errors import BackupError, Busy, Damaged, NoSpace, TooNew
from warandpeace.backups.manifest import Manifest, read

HIDDEN = "."
LATEST = "latest"
# What a machine needs beside the backup to go on working.
RESERVE = 64 << 20


@dataclass(frozen=True)
class Kept:
    """A backup on the shelf; `trouble` says why it can't be used, as far as that shows from outside."""

    folder: Path
    manifest: Manifest | None
    trouble: str = ""


def shelf() -> Path:
    return Path(settings.BACKUP_DIR)


@contextmanager
def locked() -> Iterator[Path]:
    """The shelf, with nobody else at work in it, and without what a kill has left. Raises Busy or BackupError."""
    folder = shelf()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (folder / ".lock").open("a")
    except OSError as error:
        raise BackupError(
            f"{folder} can't be written ({error.strerror}): set BACKUP_DIR to a folder of ours."
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy("Another backup or restore is at work; wait until it has ended.") from error
        for leftover in folder.glob(f"{HIDDEN}*{os.sep}"):
            shutil.rmtree(leftover)
        yield folder


@contextmanager
def unfinished(name: str) -> Iterator[Path]:
    """A hidden folder for a backup in the making; it is gone afterwards unless `publish` gave it its name."""
    folder = shelf() / f"{HIDDEN}{name}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(folder: Path) -> Path:
    """Let a finished backup appear, after all of it is on the disk."""
    for path in [*folder.iterdir(), folder]:
        _sync(path)
    final = folder.with_name(folder.name.removeprefix(HIDDEN))
    folder.rename(final)
    _sync(final.parent)
    return final


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def backups() -> list[Kept]:
    """All that is on the shelf, the newest first."""
    names = shelf().glob(f"[!{HIDDEN}]*{os.sep}") if shelf().is_dir() else ()
    return [_look(folder) for folder in sorted(names, reverse=True)]


def _look(folder: Path) -> Kept:
    try:
        manifest = read(folder)
        path = folder / manifest.payload
        size = path.stat().st_size if path.is_file() else 0
    except (Damaged, TooNew) as error:
        return Kept(folder, None, str(error))
    if size != manifest.size:
        return Kept(folder, manifest, f"{path} has {size:,} bytes instead of {manifest.size:,}.")
    return Kept(folder, manifest)


def find(name: str) -> Path:
    """The folder of a backup by its name, `latest`, or a path to one elsewhere. Raises Damaged."""
    if name == LATEST:
        sound = [kept.folder for kept in backups() if not kept.trouble]
        if not sound:
            raise Damaged(f"There is no sound backup in {shelf()}: `manage.py restore` lists what is there.")
        return sound[0]
    for folder in (shelf() / name, Path(name)):
        if folder.is_dir():
            if folder.name.startswith(HIDDEN):
                raise Damaged(f"{folder} is half-written: it was never finished nor verified. Take another backup.")
            return folder
    raise Damaged(f"There is no backup {name}: `manage.py restore` lists what is there.")


def outlived(now: datetime) -> list[Path]:
    """Sound backups that are older than BACKUP_KEEP_DAYS; the newest BACKUP_KEEP stay, whatever their age."""
    sound = [(kept.folder, kept.manifest) for kept in backups() if kept.manifest and not kept.trouble]
    oldest = now - timedelta(days=settings.BACKUP_KEEP_DAYS)
    return [folder for folder, manifest in sound[max(settings.BACKUP_KEEP, 1) :] if manifest.created_at < oldest]


def remove(folder: Path) -> None:
    """Take a backup off the shelf; a kill in the middle leaves something hidden, never half a backup."""
    hidden = folder.with_name(f"{HIDDEN}{folder.name}")
    folder.rename(hidden)
    shutil.rmtree(hidden)


def check_room(needs: Mapping[Path, int]) -> None:
    """Raise NoSpace unless each folder's disk has so many bytes; folders of one disk share what it has."""
    by_disk, place = Counter[int](), dict[int, Path]()
    for folder, size in needs.items():
        disk = folder.stat().st_dev
        by_disk[disk] += size
        place[disk] = folder
    for disk, size in by_disk.items():
        free = shutil.disk_usage(place[disk]).free
        if free < size + RESERVE:
            raise NoSpace(
                f"{place[disk]} has {free >> 20:,} MB free, and {(size + RESERVE) >> 20:,} MB may be needed: make room."
            )
