"""PostgreSQL as a target: binary COPY in, binary COPY out for the proof, indexes after the rows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import models
from psycopg import Copy

from warandpeace.transfer.batches import DIGEST_BYTES, Batch, Row
from warandpeace.transfer.tables import Table
from warandpeace.transfer.target import Target

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
LOCK_SECONDS = 5.0
TRANSFER_LOCK = 0x57415250  # any number that nobody else uses for an advisory lock

# A lost connection to the server loses at most the last blocks, which the next run writes again.
WRITER_SETTINGS = (
    "SET synchronous_commit = off",
    "SET maintenance_work_mem = '128MB'",
    "SET jit = off",
    "SET max_parallel_maintenance_workers = 0",
)


# Unique and foreign keys, but for the one that names a row: that is how rows are found again.
CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(c.oid) FROM pg_constraint c
WHERE conrelid = %s::regclass AND contype IN ('u', 'f') AND %s::text[] <> (
  SELECT array_agg(attname::text ORDER BY attname) FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY(conkey))
ORDER BY contype DESC, conname
"""
INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = %s::regclass AND NOT indisprimary
AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid)
"""


class PostgresTarget(Target):
    is_server = True

    def open_writer(self) -> None:
        with self.connection.cursor() as cursor:
            for statement in WRITER_SETTINGS:
                cursor.execute(statement)

    def insert(self, table: Table, batch: Batch) -> None:
        self._copy(f"{self.quote(table.name)} ({self.names(table.columns)})", batch)

    def _copy(self, into: str, batch: Batch) -> None:
        with self._copying(f"COPY {into} FROM STDIN (FORMAT BINARY)") as copy:
            for piece in (SIGNATURE, *batch.data, TRAILER):
                copy.write(piece)

    @contextmanager
    def _copying(self, statement: str, parameters: Sequence[Any] = ()) -> Iterator[Copy]:
        """psycopg's own COPY, with Django's errors."""
        errors = self.connection.wrap_database_errors
        with self.connection.cursor() as cursor, errors, cursor.copy(statement, parameters or None) as copy:
            yield copy

    def upsert(self, table: Table, batch: Batch) -> None:
        stage, columns = self.quote(f"transfer_{table}"), self.names(table.columns)
        others = [self.quote(name) for name in table.columns if name not in table.key]
        update = ", ".join(f"{name} = EXCLUDED.{name}" for name in others)
        action = f"DO UPDATE SET {update}" if others else "DO NOTHING"
        with self.connection.cursor() as cursor:
            shape = f"SELECT {columns} FROM {self.quote(table.name)} WITH NO DATA"
            cursor.execute(f"CREATE TEMP TABLE {stage} ON COMMIT DROP AS {shape}")
            self._copy(stage, batch)
            cursor.execute(
                f"INSERT INTO {self.quote(table.name)} ({columns}) SELECT {columns} FROM {stage} "
                f"ON CONFLICT ({self.names(table.key)}) {action}"
            )
            cursor.execute(f"DROP TABLE {stage}")
            # Foreign keys are checked at once, so that a row that points nowhere is known by its own statement.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def digests(self, table: Table, rows: Sequence[Row]) -> list[bytes | None]:
        keys = [[row[place] for row in rows] for place in range(len(table.key))]
        arrays = ", ".join(f"%s::{self._type(table, name)}[]" for name in table.key)
        names = [f"wanted_{place}" for place in range(len(table.key))]
        on = " AND ".join(f"{self.quote(name)} = {wanted}" for name, wanted in zip(table.key, names, strict=True))
        wanted = f"unnest({arrays}) WITH ORDINALITY AS wanted({', '.join(names)}, place)"
        sql = f"SELECT place - 1, {self._digest(table)} FROM {wanted} JOIN {self.quote(table.name)} ON {on}"
        found = dict(self._rows(sql, keys))
        return [bytes(found[place]) if place in found else None for place in range(len(rows))]

    def checksum(self, table: Table, rows: Sequence[Row]) -> bytes:
        """Made by the server: no row has to be read back to be proved."""
        keys = [row[0] for row in rows]
        if len(table.key) > 1 or not isinstance(keys[0], int):
            return super().checksum(table, rows)
        digest, key = self._digest(table), self.quote(table.key[0])
        sql = f"SELECT sha256(string_agg({digest}, ''::bytea ORDER BY {digest})) FROM {self.quote(table.name)}"
        found = self._rows(f"{sql} WHERE {key} BETWEEN %s AND %s", [min(keys), max(keys)])[0][0]
        return bytes(found or b"")

    def _digest(self, table: Table) -> str:
        columns = ", ".join(
            f"sha256(textsend({self.quote(name)}))" if name == table.long else self.quote(name)
            for name in table.columns
        )
        return f"substr(sha256(record_send(ROW({columns}))), 1, {DIGEST_BYTES})"

    def _type(self, table: Table, column: str) -> str:
        field: models.Field[Any, Any] = table.fields[column]
        return str(field.rel_db_type(self.connection) if field.primary_key else field.db_type(self.connection))

    def suit(self, table: Table) -> None:
        """Compress texts with lz4 where the server was built with it: much faster than its default, hardly larger."""
        texts = [
            name for name, field in table.fields.items() if field.get_internal_type() in {"TextField", "JSONField"}
        ]
        if not texts or not self._has_lz4():
            return
        with self.connection.cursor() as cursor:
            changes = ", ".join(f"ALTER COLUMN {self.quote(name)} SET COMPRESSION lz4" for name in texts)
            cursor.execute(f"ALTER TABLE {self.quote(table.name)} {changes}")

    def _has_lz4(self) -> bool:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT 'lz4' = ANY(enumvals) FROM pg_settings WHERE name = 'default_toast_compression'")
            row = cursor.fetchone()
        return bool(row and row[0])

    def rebuild(self, statement: str) -> None:
        """Without waiting for the disk: what a crash undoes is still on the list that lies in the same transaction."""
        with self.connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
        super().rebuild(statement)

    def strip(self, table: Table) -> list[str]:
        name = self.quote(table.name)
        constraints = self._rows(CONSTRAINTS, [name, sorted(table.key)])
        rebuild = []
        for constraint, definition in constraints:
            self.rebuild(f"ALTER TABLE {name} DROP CONSTRAINT {self.quote(constraint)}")
            rebuild.append(f"ALTER TABLE {name} ADD CONSTRAINT {self.quote(constraint)} {definition}")
        for index, definition in self._rows(INDEXES, [name]):
            self.rebuild(f"DROP INDEX {index}")
            rebuild.append(definition)
        return rebuild

    def _rows(self, sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def _is_ours(self) -> bool:
        """Take the lock. A transfer that was killed a moment ago may hold it for as long as its last block takes."""
        until = time.monotonic() + LOCK_SECONDS
        while not self._rows("SELECT pg_try_advisory_lock(%s)", [TRANSFER_LOCK])[0][0]:
            if time.monotonic() > until:
                return False
            time.sleep(0.1)
        return True

    @contextmanager
    def locked(self) -> Iterator[bool]:
        try:
            yield self._is_ours()
        finally:
            self.close()
