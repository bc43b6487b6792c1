"""SQLite as a target, and what its files are like from inside: plain statements in large transactions."""

from __future__ import annotations

import fcntl
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db.utils import DatabaseErrorWrapper

from warandpeace.transfer.batches import Batch, Row, digest_in
from warandpeace.transfer.codecs import Codec
from warandpeace.transfer.tables import Table
from warandpeace.transfer.target import Target


def from_file(table: Table, values: Sequence[Any]) -> Row:
    """A row of a SQLite file of ours as Python's values. Raises Unfit with the name of the column."""
    return tuple(
        [
            value if codec.from_sqlite is None else codec.from_sqlite(value)
            for codec, value in zip(table.codecs, values, strict=True)
        ]
    )


def _to_file(codecs: Sequence[Codec], row: Row) -> list[Any]:
    """As many values of a row as there are codecs, as Django's own backend would store them."""
    return [
        value if codec.to_sqlite is None or value is None else codec.to_sqlite(value)
        for codec, value in zip(codecs, row, strict=False)
    ]


class SqliteTarget(Target):
    is_server = False

    def is_there(self) -> bool:
        return Path(self.connection.settings_dict["NAME"]).exists()

    def open_writer(self) -> None:
        # Rows may come before those they point to; the parents are checked by the reader.
        self.connection.disable_constraint_checking()

    def insert(self, table: Table, batch: Batch) -> None:
        self._write(table, batch, "")

    def upsert(self, table: Table, batch: Batch) -> None:
        others = [self.quote(name) for name in table.columns if name not in table.key]
        update = ", ".join(f"{name} = excluded.{name}" for name in others)
        self._write(
            table,
            batch,
            f" ON CONFLICT ({self.names(table.key)}) {f'DO UPDATE SET {update}' if others else 'DO NOTHING'}",
        )

    def _write(self, table: Table, batch: Batch, conflict: str) -> None:
        places = ", ".join("?" * len(table.columns))
        sql = f"INSERT INTO {self.quote(table.name)} ({self.names(table.columns)}) VALUES ({places}){conflict}"
        with DatabaseErrorWrapper(self.connection):
            self._file.executemany(sql, (_to_file(table.codecs, row) for row in batch.rows))

    def digests(self, table: Table, rows: Sequence[Row]) -> list[bytes | None]:
        codecs = table.codecs[: len(table.key)]
        keys = [_to_file(codecs, row) for row in rows]
        on = " AND ".join(f"t.{self.quote(name)} = json_extract(w.value, '$[{n}]')" for n, name in enumerate(table.key))
        columns = ", ".join(f"t.{self.quote(name)}" for name in table.columns)
        # CROSS JOIN keeps the order of the loops: one look-up by key for each wanted row.
        sql = f"SELECT w.key, {columns} FROM json_each(?) AS w CROSS JOIN {self.quote(table.name)} AS t ON {on}"
        with DatabaseErrorWrapper(self.connection):
            found = {place: from_file(table, values) for place, *values in self._file.execute(sql, [json.dumps(keys)])}
        digests = dict(zip(found, map(digest_in, table.pack(list(found.values())).marks), strict=True))
        return [digests.get(place) for place in range(len(rows))]

    @property
    def _file(self) -> sqlite3.Connection:
        self.connection.ensure_connection()
        file: sqlite3.Connection = self.connection.connection
        return file

    def suit(self, table: Table) -> None:
        """SQLite has one kind of storage."""

    def strip(self, table: Table) -> list[str]:
        sql = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"
        rebuild = []
        for name, definition in self._file.execute(sql, [table.name]).fetchall():
            if not definition.upper().startswith("CREATE UNIQUE"):
                self.rebuild(f"DROP INDEX {self.quote(name)}")
                rebuild.append(definition)
        return rebuild

    @contextmanager
    def locked(self) -> Iterator[bool]:
        path = Path(f"{self.connection.settings_dict['NAME']}.transfer-lock")
        try:
            with path.open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                try:
                    yield True
                finally:
                    path.unlink(missing_ok=True)
        except BlockingIOError:
            yield False
        finally:
            self.close()
