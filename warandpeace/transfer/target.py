"""The database that is written to: what the story needs of either engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import Any

from django.core.management.color import no_style
from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from warandpeace.transfer.tables import Packed, Table


class Target(ABC):
    """One alias of Django's connections. Each thread that uses it has a connection of its own."""

    def __init__(self, alias: str, label: str) -> None:
        self.alias, self.label = alias, label

    @property
    def connection(self) -> BaseDatabaseWrapper:
        return connections[self.alias]

    def close(self) -> None:
        """Close this thread's connection."""
        self.connection.close()

    is_server: bool

    def open_reader(self) -> None:
        """Open this thread's connection."""
        self.connection.ensure_connection()

    @abstractmethod
    def open_writer(self) -> None:
        """Prepare this thread's connection for a great many rows."""

    @abstractmethod
    def insert(self, table: Table, rows: Sequence[Packed]) -> None:
        """Add rows. Raises django.db.DatabaseError if one of them can't be added."""

    @abstractmethod
    def upsert(self, table: Table, rows: Sequence[Packed]) -> None:
        """Add rows, or overwrite those with the same key. Raises django.db.DatabaseError."""

    @abstractmethod
    def digests(self, table: Table, rows: Sequence[Packed]) -> dict[bytes, bytes]:
        """What stands for the values that the target has under the same keys, by key, as far as they are there."""

    def checksum(self, table: Table, rows: Sequence[Packed]) -> bytes:
        """The SHA-256 of all those digests in the order of `rows`."""
        found = self.digests(table, rows)
        return sha256(b"".join(found.get(packed.key, b"") for packed in rows)).digest()

    @abstractmethod
    def suit(self, table: Table) -> None:
        """Give an empty table the storage that suits it best."""

    @abstractmethod
    def strip(self, table: Table) -> list[str]:
        """Drop what slows writing down; gives the statements that rebuild it."""

    def rebuild(self, statement: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statement)

    @abstractmethod
    def locked(self) -> AbstractContextManager[bool]:
        """Keep other transfers out; gives False if one is writing here. A process that dies lets go."""

    def settle(self, tables: Iterable[Table]) -> None:
        """Set the sequences behind the greatest numbers, and let the planner look at what has come."""
        seen = [table.model for table in tables]
        with transaction.atomic(using=self.alias), self.connection.cursor() as cursor:
            for statement in self.connection.ops.sequence_reset_sql(no_style(), seen):
                cursor.execute(statement)
        with self.connection.cursor() as cursor:
            for model in seen:
                cursor.execute(f"ANALYZE {self.quote(model._meta.db_table)}")

    def existing(self, model: type[models.Model], keys: Iterable[Any]) -> set[Any]:
        """Which of the primary keys are there."""
        return set(model._base_manager.using(self.alias).filter(pk__in=list(keys)).values_list("pk", flat=True))

    def quote(self, name: str) -> str:
        return self.connection.ops.quote_name(name)

    def names(self, names: Iterable[str]) -> str:
        return ", ".join(self.quote(name) for name in names)
