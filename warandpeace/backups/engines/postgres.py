"""A database of a PostgreSQL server: dumped and restored by the server's own programs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

from warandpeace.backups.engines.base import Engine, Snapshot
from warandpeace.backups.engines.programs import check_version, conninfo, dumping, password, restoring
from warandpeace.backups.errors import BackupError, InUse
from warandpeace.backups.proof import Proof, TableProof

MAINTENANCE = "postgres"
LONGEST_NAME = 40  # leaves room for a suffix within PostgreSQL's 63
KNOWS_TRANSACTION_TIMEOUT = 17

# Every table that a dump carries, with the columns that are not made of others.
TABLES = """
    SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attnum)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    WHERE c.relkind = 'r' AND c.relpersistence <> 't'
      AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    GROUP BY 1, 2 ORDER BY 1, 2
"""
# The sum of eight bytes of each row's checksum: the same in whatever order the rows lie.
PROOF = """
    SELECT count(*),
           coalesce(sum(('x' || encode(substr(sha256(record_send(ROW({})))
                         , 1, 8), 'hex'))::bit(64)::bigint::numeric), 0)::text
    FROM {}
"""
CONNECTED = """
    SELECT DISTINCT concat_ws(' ', usename, nullif(application_name, ''), host(client_addr))
    FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid() ORDER BY 1
"""


class PostgresEngine(Engine):
    kind = "postgresql"
    payload = "database.dump"

    def __init__(self, settings: dict[str, Any], origin: str = "") -> None:
        super().__init__(settings)
        self.origin = origin  # the database that this one was named after

    @property
    def name(self) -> str:
        return str(self.settings["NAME"])

    def version(self) -> int:
        with self._connect(MAINTENANCE) as server:
            return server.info.server_version // 10_000

    def check_programs(self, dumped_by: int) -> None:
        check_version(max(dumped_by, self.version()))

    def size(self) -> int:
        with self._connect(self.name) as server:
            return int(_value(server, SQL("SELECT pg_database_size(current_database())")))

    def room(self, size: int) -> dict[Path, int]:
        """The server's disk may be anywhere: when it is full, the server says so."""
        return {}

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """One REPEATABLE READ transaction, which pg_dump joins."""
        with self._connect(self.name) as server:
            server.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            name = str(_value(server, SQL("SELECT pg_export_snapshot()")))
            with dumping(self.settings, self.name, name) as dump:
                yield Snapshot(_proof(server), _migrations(server), dump)

    def proof(self) -> Proof:
        with self._connect(self.name) as server:
            return _proof(server)

    def beside(self, suffix: str) -> PostgresEngine:
        return PostgresEngine(self.settings | {"NAME": f"{self.name[:LONGEST_NAME]}_{suffix}"}, self.name)

    def create(self) -> None:
        """With the locale of the database it is named after, so that it sorts as that one does."""
        self.drop()
        with self._connect(MAINTENANCE) as server:
            found = server.execute(
                "SELECT datcollate, datctype FROM pg_database WHERE datname = %s", [self.origin]
            ).fetchone()
            locale = SQL("LC_COLLATE {} LC_CTYPE {}").format(*map(Literal, found)) if found else SQL("")
            make = SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' {}")
            server.execute(make.format(Identifier(self.name), locale))

    def drop(self) -> None:
        with self._connect(MAINTENANCE) as server:
            server.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(self.name)))

    @contextmanager
    def load(self) -> Iterator[IO[bytes]]:
        is_old = self.version() < KNOWS_TRANSACTION_TIMEOUT
        with restoring(self.settings, self.name, is_old=is_old) as writer:
            yield writer

    def is_in_use(self) -> bool:
        if not self._exists():
            return False
        with self._connect(self.name) as server:
            return bool(server.execute(TABLES).fetchone())

    def _exists(self) -> bool:
        with self._connect(MAINTENANCE) as server:
            return bool(server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.name]).fetchone())

    def check_alone(self) -> None:
        with self._connect(MAINTENANCE) as server:
            if connected := [name for (name,) in server.execute(CONNECTED, [self.name]).fetchall()]:
                raise InUse(f"Somebody is connected to {self.name}: {', '.join(connected)}. Stop what that is first.")

    def take_place(self, new: Engine, aside: str) -> str:
        """Two renames in one transaction."""
        rename = SQL("ALTER DATABASE {} RENAME TO {}")
        kept = self.beside(aside) if self._exists() else None
        try:
            with self._connect(MAINTENANCE) as server, server.transaction():
                if kept:
                    server.execute(rename.format(Identifier(self.name), Identifier(kept.name)))
                server.execute(rename.format(Identifier(new.name), Identifier(self.name)))
        except BackupError as error:
            if isinstance(error.__cause__, psycopg.errors.ObjectInUse):
                raise InUse(f"Somebody is connected to {self.name}: stop what that is first.") from error
            raise
        return kept.name if kept else ""

    @contextmanager
    def _connect(self, name: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        try:
            where, secret = conninfo(self.settings, name), password(self.settings)
            with psycopg.connect(where, password=secret or None, autocommit=True) as server:
                yield server
        except psycopg.errors.InsufficientPrivilege as error:
            user = self.settings.get("USER")
            raise BackupError(f"{_said(error)}: let a superuser say ALTER ROLE {user} CREATEDB.") from error
        except psycopg.Error as error:
            raise BackupError(f"The database {name}: {_said(error)}.") from error


def _said(error: psycopg.Error) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _value(server: psycopg.Connection[tuple[Any, ...]], query: SQL) -> Any:
    row = server.execute(query).fetchone()
    return row and row[0]


def _proof(server: psycopg.Connection[tuple[Any, ...]]) -> Proof:
    found = {}
    for schema, name, columns in server.execute(TABLES).fetchall():
        row = server.execute(_proof_query(schema, name, columns)).fetchone()
        if row:
            found[name if schema == "public" else f"{schema}.{name}"] = TableProof(*row)
    return found


def _proof_query(schema: str, name: str, columns: list[str]) -> Composed:
    listed = SQL(", ").join(map(Identifier, columns))
    return SQL(PROOF).format(listed, Identifier(schema, name))


def _migrations(server: psycopg.Connection[tuple[Any, ...]]) -> dict[str, list[str]]:
    found = defaultdict(list)
    for app, name in server.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall():
        found[app].append(name)
    return dict(found)
