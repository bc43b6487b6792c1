"""The story of a restore: whole, proved and held beside the old database before it takes its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from publishing.holding import hold_after_restore
from publishing.models import Installation
from warandpeace import supervisor
from warandpeace.backups import encryption, shelf
from warandpeace.backups.encryption import Identity
from warandpeace.backups.engines import Engine, configured, engine_of
from warandpeace.backups.errors import BackupError, InUse, Locked, TooNew
from warandpeace.backups.making import TROUBLE, Say, fill
from warandpeace.backups.manifest import Manifest, read
from warandpeace.backups.standing_in import standing_in
from warandpeace.databases import configuration
from warandpeace.models import Backup

NEW = "restoring"


@dataclass(frozen=True)
class Restored:
    """`held` publications wait for somebody to release them; `kept` is what the old database is called now, if any."""

    manifest: Manifest
    held: int
    kept: str


@dataclass(frozen=True)
class Request:
    """Which backup, into which database (empty: the configured one), read with which keys."""

    backup: str
    to: str = ""
    keys: tuple[Identity, ...] = ()

    def target(self) -> Engine:
        return engine_of(configuration(self.to)) if self.to else configured()


def rehearse(request: Request) -> Manifest:
    """Whatever can be known without writing: the whole file is read, nothing is changed. Raises BackupError."""
    with named_trouble():
        manifest, path = _open(request)
        check_fits(manifest, request.target())
        with path.open("rb") as file:
            encryption.decrypt(file, Nowhere(), request.keys, is_encrypted=manifest.is_encrypted)
        _check_target(request)
    return manifest


def restore(request: Request, say: Say) -> Restored:
    """Restore, prove, bring to this version's schema, hold what is unsent, and put it in its place.

    Raises BackupError; then whatever was there before is there as before.
    """
    with shelf.locked(), named_trouble(), _newsroom_stopped(request):
        say("Reading the backup …")
        manifest, path = _open(request)
        target = request.target()
        check_fits(manifest, target)
        connections[DEFAULT_DB_ALIAS].close()
        _check_target(request)
        target.check_alone()
        new = target.beside(NEW)
        try:
            say(f"Restoring {manifest.rows:,} rows …")
            fill(new, path, manifest, list(request.keys))
            say("Every table is as it was. Bringing it to this version, and holding what is unsent …")
            held = _settle(new.settings, manifest)
            kept = target.take_place(new, f"before_{timezone.now():%Y%m%d_%H%M%S}")
        finally:
            new.drop()
    return Restored(manifest, held, kept)


def _open(request: Request) -> tuple[Manifest, Path]:
    """The backup, byte by byte what was written, and a key for it. Raises BackupError."""
    folder = shelf.find(request.backup)
    manifest = read(folder)
    if manifest.is_encrypted and not request.keys:
        raise Locked("The backup is encrypted: give --identity the file of a private key that may read it.")
    return manifest, manifest.check_payload(folder)


def check_fits(manifest: Manifest, target: Engine) -> None:
    """Raise BackupError unless this program and that server know what the backup holds."""
    if manifest.engine != target.kind:
        raise BackupError(
            f"The backup is of {manifest.engine}, the target is {target.kind}: restore it into a database of its own "
            "kind with --to, then `manage.py transfer` carries that over."
        )
    if manifest.server_version > (present := target.version()):
        raise TooNew(
            f"The backup was made from {target.kind} {manifest.server_version}, the server is {present}: "
            "give --to a server that is as new."
        )
    known = MigrationLoader(None).disk_migrations or {}
    ours = {app for app, _name in known}
    applied = [(app, name) for app, names in manifest.migrations.items() if app in ours for name in names]
    if unknown := [f"{app}.{name}" for app, name in applied if (app, name) not in known]:
        raise TooNew(f"The backup was made by a newer version of this program ({unknown[0]}): update first.")
    target.check_programs(manifest.server_version)


def _check_target(request: Request) -> None:
    """Raise BackupError unless there is room, and a database that was named is empty."""
    target, size = request.target(), read(shelf.find(request.backup)).size
    if request.to and target.is_in_use():
        raise BackupError(
            f"{target.name} is not empty: name a database that isn't there yet, or use --overwrite for the "
            "configured one. Nothing was changed."
        )
    needed = max(target.size() if target.is_in_use() else 0, size)
    shelf.check_room({folder: room for folder, room in target.room(needed).items() if folder.is_dir()})


def _settle(database: dict[str, Any], manifest: Manifest) -> int:
    """Bring a restored database to this version and hold what is unsent in it; how many publications."""
    with standing_in(database):
        call_command("migrate", interactive=False, verbosity=0)
        # Whatever file or server it came from: from now on this is another database.
        Installation.objects.update_or_create(pk=1, defaults={"fingerprint": f"restored from {manifest.name}"})
        # The copy was taken while its own backup was being made.
        Backup.objects.interrupt()
        return hold_after_restore()


def _newsroom_stopped(request: Request) -> Any:
    """Keeps `manage.py run` from starting meanwhile. Raises InUse if it runs: its processes connect now and then."""
    if request.to or not settings.IS_EMBEDDED:
        return nullcontext()
    try:
        return closing(supervisor.lock(Path(settings.VAR_DIR, "run.lock")))
    except supervisor.AlreadyRunning as error:
        raise InUse("The newsroom runs: stop `manage.py run` first.") from error


@contextmanager
def named_trouble() -> Iterator[None]:
    """Whatever a disk, a server or a file says, as a sentence."""
    try:
        yield
    except (*TROUBLE, Error) as error:
        raise BackupError(f"The restore ended without having changed anything: {error}.") from error


class Nowhere:
    """Takes whatever is written."""

    def write(self, data: bytes, /) -> int:
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""
