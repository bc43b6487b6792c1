"""The source, open for reading only, as it was at one moment: one read transaction, on a server and on a file."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import DatabaseError
from psycopg import IsolationLevel

from warandpeace.databases import configuration
from warandpeace.transfer.aliases import connect, forget
from warandpeace.transfer.errors import TransferError
from warandpeace.transfer.labels import label_of

SOURCE_ALIAS = "transfer_source"
ROWS_AT_ONCE = 500
SQLITE_HEADER = b"SQLite format 3\0"
HEADER_BYTES = 100
LARGEST_PAGE = 65_536  # too large for the header's two bytes, which then say 1
BUSY_SECONDS = 10
NO_UTF8 = "Could not decode to UTF-8"


class Snapshot(ABC):
    """`label` names the source for people, without a password; `mark` is a parameter's place in a statement."""

    label: str
    mark: str
    is_file: bool

    @abstractmethod
    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, a few at a time. Raises TransferError."""

    @abstractmethod
    def tables(self) -> set[str]: ...

    @abstractmethod
    def columns(self, table: str) -> tuple[str, ...]: ...

    @abstractmethod
    def close(self) -> None: ...

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first column of the first row, or None."""
        row = next(self.rows(sql, parameters), None)
        return row and row[0]


def open_snapshot(where: str) -> Snapshot:
    """Open a file, or a database by its URL. Raises TransferError with what to do."""
    if "://" in where and not where.startswith("sqlite:"):
        return PostgresSnapshot(where)
    path = configuration(where)["NAME"] if where.startswith("sqlite:") else where
    return SqliteSnapshot(Path(path))


class SqliteSnapshot(Snapshot):
    """One read transaction on a file: writers go on beside it, and nothing they write is seen."""

    mark = "?"
    is_file = True

    def __init__(self, path: Path) -> None:
        self.label, self.path = str(path), path
        _check_file(path)
        uri = f"file:{quote(str(path.resolve()))}?mode=ro"
        try:
            self.file = sqlite3.connect(
                uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self.file.execute("BEGIN")
            self.file.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            raise TransferError(_file_trouble(path, error)) from error

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Where a text is broken UTF-8, its wrong bytes are lone surrogates; its row then goes to quarantine."""
        done = 0
        try:
            for rows in self._chunks(sql, parameters):
                yield from rows
                done += len(rows)
        except sqlite3.Error as error:
            if NO_UTF8 not in str(error):
                raise TransferError(_file_trouble(self.path, error)) from error
            yield from islice(self._tolerantly(sql, parameters), done, None)

    def _chunks(self, sql: str, parameters: Sequence[Any]) -> Iterator[list[tuple[Any, ...]]]:
        with closing(self.file.cursor()) as cursor:
            cursor.execute(sql, parameters)
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                yield rows

    def _tolerantly(self, sql: str, parameters: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """The same rows in the same order, by SQLite's slow way: it asks Python what each text is."""
        chunks = self._chunks(sql, parameters)
        while True:
            self.file.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
            try:
                rows = next(chunks, None)
            except sqlite3.Error as error:
                raise TransferError(_file_trouble(self.path, error)) from error
            finally:
                self.file.text_factory = str
            if rows is None:
                return
            yield from rows

    def tables(self) -> set[str]:
        return {row[0] for row in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def columns(self, table: str) -> tuple[str, ...]:
        return tuple(row[0] for row in self.rows("SELECT name FROM pragma_table_info(?)", [table]))

    def close(self) -> None:
        self.file.close()


class PostgresSnapshot(Snapshot):
    """One transaction, REPEATABLE READ and READ ONLY."""

    mark = "%s"
    is_file = False

    def __init__(self, url: str) -> None:
        self.label = label_of(url)
        settings = configuration(url) | {"TIME_ZONE": None, "AUTOCOMMIT": False, "CONN_HEALTH_CHECKS": False}
        settings["OPTIONS"] = dict(settings.get("OPTIONS", {})) | {
            "isolation_level": IsolationLevel.REPEATABLE_READ,
            "options": "-c default_transaction_read_only=on",
        }
        self.connection = connect(SOURCE_ALIAS, settings)
        self.value("SELECT 1")

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            with self.connection.chunked_cursor() as cursor:
                cursor.execute(sql, parameters)
                while rows := cursor.fetchmany(ROWS_AT_ONCE):
                    yield from rows
        except DatabaseError as error:
            raise TransferError(f"{self.label} can't be read: {str(error).strip().splitlines()[0]}") from error

    def tables(self) -> set[str]:
        return set(self.connection.introspection.table_names())

    def columns(self, table: str) -> tuple[str, ...]:
        sql = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        return tuple(row[0] for row in self.rows(sql, [self.connection.ops.quote_name(table)]))

    def close(self) -> None:
        forget(SOURCE_ALIAS)


def _check_file(path: Path) -> None:
    """Raise TransferError for what can be seen from outside."""
    if not path.is_file():
        raise TransferError(f"There is no file {path}. Give --from the path of the old database, or a database URL.")
    try:
        with path.open("rb") as file:
            header = file.read(HEADER_BYTES)
    except PermissionError as error:
        raise TransferError(f"{path} may not be read by this user: change its owner or its mode.") from error
    if not header.startswith(SQLITE_HEADER):
        raise TransferError(
            f"{path} is no SQLite database, or it is encrypted: decrypt it first, or give the right file."
        )
    if _expected_size(header) > path.stat().st_size + _log_size(path):
        raise TransferError(f"{path} is cut off: it must have {_expected_size(header):,} bytes. Copy it once more.")


def _expected_size(header: bytes) -> int:
    """What the header says of the file's length; 0 where an old SQLite wrote it (file format, 1.3.7)."""
    if len(header) < HEADER_BYTES or header[24:28] != header[92:96]:
        return 0
    size, pages = int.from_bytes(header[16:18], "big"), int.from_bytes(header[28:32], "big")
    return pages * (LARGEST_PAGE if size == 1 else size)


def _log_size(path: Path) -> int:
    log = path.with_name(path.name + "-wal")
    return log.stat().st_size if log.exists() else 0


def _file_trouble(path: Path, error: sqlite3.Error) -> str:
    """What the operator can do about SQLite's complaint."""
    said = str(error)
    if "locked" in said or "busy" in said:
        return f"{path} is locked by another process: stop the program that uses it, then run this again."
    if "malformed" in said or "not a database" in said:
        return f"{path} is damaged ({said}): copy it again, or repair it with `sqlite3 {path.name} .recover`."
    if "unable to open" in said or "readonly" in said:
        return f"{path} can't be opened ({said}): where its -wal file is, its folder must be writable; copy both."
    return f"{path} can't be read ({said})."
