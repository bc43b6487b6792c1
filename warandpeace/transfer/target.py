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

from warandpeace.transfer.batches import Batch, Row
from warandpeace.transfer.tables import Table


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

    def is_there(self) -> bool:
        """Whether there is a database already, be it an empty one."""
        return True

    def open_reader(self) -> None:
        """Open this thread's connection."""
        self.connection.ensure_connection()

    @abstractmethod
    def open_writer(self) -> None:
        """Prepare this thread's connection for a great many rows."""

    @abstractmethod
    def insert(self, table: Table, batch: Batch) -> None:
        """Add rows. Raises django.db.DatabaseError if one of them can't be added."""

    @abstractmethod
    def upsert(self, table: Table, batch: Batch) -> None:
        """Add rows, or overwrite those with the same key. Raises django.db.DatabaseError."""

    @abstractmethod
    def digests(self, table: Table, rows: Sequence[Row]) -> list[bytes | None]:
        """What stands for the values that the target has under these rows' keys; None where it has no such row."""

    def checksum(self, table: Table, rows: Sequence[Row]) -> bytes:
        """What `Batch.checksum` must be if the target has just these rows, with the same values."""
        return sha256(b"".join(sorted(each or b"" for each in self.digests(table, rows)))).digest()

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
        """Set the sequences behind the greatest numbers."""
        with transaction.atomic(using=self.alias), self.connection.cursor() as cursor:
            for statement in self.connection.ops.sequence_reset_sql(no_style(), [table.model for table in tables]):
                cursor.execute(statement)

    def look_at(self, table: Table) -> None:
        """Let the planner know what has come into a table."""
        with self.connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {self.quote(table.name)}")

    def existing(self, model: type[models.Model], keys: Iterable[Any]) -> set[Any]:
        """Which of the primary keys are there."""
        return set(model._base_manager.using(self.alias).filter(pk__in=list(keys)).values_list("pk", flat=True))

    def quote(self, name: str) -> str:
        return self.connection.ops.quote_name(name)

    def names(self, names: Iterable[str]) -> str:
        return ", ".join(self.quote(name) for name in names)
