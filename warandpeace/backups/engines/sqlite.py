"""A SQLite file: copied by SQLite's backup API, kept as gzip."""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from warandpeace.backups.encryption import CHUNK
from warandpeace.backups.engines.base import Engine, Snapshot
from warandpeace.backups.errors import BackupError, Damaged, InUse
from warandpeace.backups.proof import Proof, TableProof

GZIP = 31  # zlib's window with gzip's header: `gunzip` reads it too
BUSY_SECONDS = 10.0
LOGS = ("-wal", "-shm")


class SqliteEngine(Engine):
    kind = "sqlite"
    payload = "database.sqlite3.gz"

    @property
    def path(self) -> Path:
        return Path(str(self.settings["NAME"]))

    @property
    def name(self) -> str:
        return self.path.name

    def version(self) -> int:
        return sqlite3.sqlite_version_info[0]

    def check_programs(self, dumped_by: int) -> None:
        """Nothing is needed but Python."""

    def size(self) -> int:
        """Of the file with its log."""
        parts = [self.path, *(self.path.with_name(self.path.name + log) for log in LOGS)]
        return sum(part.stat().st_size for part in parts if part.exists())

    def room(self, size: int) -> dict[Path, int]:
        """The copy that is read, and the one that is proved."""
        return {self.path.parent: 2 * size}

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        copy = self.beside("copy")
        copy.drop()
        try:
            with trouble(self.path), closing(self._open("ro")) as file:
                file.execute("BEGIN")
                tables, migrations = _proof(file), _migrations(file)
                with closing(sqlite3.connect(copy.path)) as target:
                    copy.path.chmod(0o600)
                    file.backup(target)
            with copy.path.open("rb") as copied:
                yield Snapshot(tables, migrations, Compressed(copied))
        finally:
            copy.drop()

    def proof(self) -> Proof:
        with trouble(self.path), closing(self._open("ro")) as file:
            if (found := file.execute("PRAGMA quick_check(1)").fetchone()[0]) != b"ok":
                raise BackupError(f"{self.path} is damaged: {found.decode(errors='replace')}.")
            return _proof(file)

    def _open(self, mode: str) -> sqlite3.Connection:
        uri = f"file:{quote(str(self.path.resolve()))}?mode={mode}"
        file = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        file.text_factory = bytes
        return file

    def beside(self, suffix: str) -> SqliteEngine:
        return SqliteEngine(self.settings | {"NAME": str(self.path.with_name(f".{self.name}.{suffix}"))})

    def create(self) -> None:
        self.drop()
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def drop(self) -> None:
        for ending in ("", *LOGS, "-journal"):
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)

    @contextmanager
    def load(self) -> Iterator[Inflating]:
        with self.path.open("xb") as file:
            self.path.chmod(0o600)
            writer = Inflating(file)
            yield writer
            writer.finish()

    def is_in_use(self) -> bool:
        return self.path.exists() and self.path.stat().st_size > 0

    def check_alone(self) -> None:
        if self.is_in_use():
            with self._alone():
                pass

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep everybody out; the log is in the file then. A file that is damaged keeps nobody out."""
        with closing(sqlite3.connect(self.path, timeout=1, isolation_level=None)) as file:
            try:
                file.execute("PRAGMA journal_mode=DELETE")  # refused while anybody else has the file open
                file.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                raise InUse(f"Somebody works with {self.path} ({error}): stop the program that does.") from error
            except sqlite3.DatabaseError:
                pass  # what is to be replaced is no database any more, which may be the reason
            yield

    def take_place(self, new: Engine, aside: str) -> str:
        assert isinstance(new, SqliteEngine)  # noqa: S101  for the type checker; both are of one kind
        with trouble(new.path), new._alone():
            _sync(new.path)
        if not self.is_in_use():
            new.path.replace(self.path)
            return ""
        kept = self.path.with_name(f"{self.name}.{aside}")
        with self._alone():
            for log in LOGS:  # only a damaged file has some left
                if (left := self.path.with_name(self.path.name + log)).exists():
                    left.rename(kept.with_name(kept.name + log))
            os.link(self.path, kept)
            new.path.replace(self.path)  # at every moment there is one database in this place
        _sync(self.path.parent)
        return str(kept)


class Compressed:
    """Reads a file as gzip."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._deflate = file, zlib.compressobj(wbits=GZIP)
        self._ready, self._is_done = BytesIO(), False

    def read(self, size: int = -1, /) -> bytes:
        while not (given := self._ready.read(size)) and not self._is_done:
            chunk = self._file.read(CHUNK)
            self._is_done = not chunk
            self._ready = BytesIO(self._deflate.compress(chunk) if chunk else self._deflate.flush())
        return given


class Inflating:
    """Writes what comes as gzip into a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._inflate = file, zlib.decompressobj(wbits=GZIP)

    def write(self, data: bytes, /) -> int:
        try:
            self._file.write(self._inflate.decompress(data))
        except zlib.error as error:
            raise Damaged(f"The backup can't be unpacked ({error}): take another one.") from error
        return len(data)

    def flush(self) -> None:
        self._file.flush()

    def finish(self) -> None:
        """Raise Damaged unless all of it has come."""
        if not self._inflate.eof:
            raise Damaged("The backup ends too early: take another one.")


def _proof(file: sqlite3.Connection) -> Proof:
    """Of all tables but virtual ones, whose content lies in ordinary ones. Texts are bytes here."""
    names = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
    return {name.decode(): _table(file, name.decode()) for (name,) in file.execute(names).fetchall()}


def _table(file: sqlite3.Connection, name: str) -> TableProof:
    """The rows in the order of the file, which a copy has too."""
    rows, digest = 0, sha256()
    for row in file.execute(f'SELECT * FROM "{name}"'):  # noqa: S608  a name of our own schema
        digest.update(repr(row).encode())
        rows += 1
    return TableProof(rows, digest.hexdigest())


def _migrations(file: sqlite3.Connection) -> dict[str, list[str]]:
    found = defaultdict(list)
    for app, name in file.execute("SELECT app, name FROM django_migrations ORDER BY id"):
        found[app.decode()].append(name.decode())
    return dict(found)


@contextmanager
def trouble(path: Path) -> Iterator[None]:
    """Turn SQLite's complaints into a sentence."""
    try:
        yield
    except sqlite3.Error as error:
        raise BackupError(f"{path}: {error}. See that the file is there, sound, and its disk not full.") from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
