"""Our own database as a source, on either engine: every table, every row, under its own key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import groupby
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import models
from django.db.migrations.loader import MigrationLoader

from articles.models import Article, BackfillRun, ChangedText, DeadLetter, Signature, Source
from publishing.models import Channel, Digest, Installation, Publication, Subscriber
from usage.models import ApiUsageEvent
from warandpeace.transfer.blocks import Block, cell_of
from warandpeace.transfer.errors import TransferError, Unfit
from publishing.holding import HELD_BY_TRANSFER, PAUSED_BY_TRANSFER
from warandpeace.transfer.models import QuarantinedRow, Transfer, TransferBlock
from warandpeace.transfer.scope import Scope
from warandpeace.transfer.snapshot import Snapshot
from warandpeace.transfer.sqlite import from_file
from warandpeace.transfer.tables import Row, Table
from warandpeace.transfer.target import Target

# Every database makes these itself; rows that point to them are mapped by name.
MAPPED = (ContentType, Permission)
LEFT_OUT = {
    Session: "people sign in again",
    ChangedText: "the target notes by itself which texts it has to index",
    Signature: "`manage.py duplicates rebuild` makes them there",
}
# Installation says which database this is: a target is another one.
NOT_COPIED = {*MAPPED, *LEFT_OUT, Installation, Transfer, TransferBlock, QuarantinedRow}
# A target with rows of these is in use. Everything else that a new database holds was put there by its migrations.
SIGNS_OF_USE: tuple[type[models.Model], ...] = (
    get_user_model(),
    Source,
    Channel,
    Article,
    Publication,
    Digest,
    Subscriber,
    ApiUsageEvent,
    DeadLetter,
    BackfillRun,
)
DATED = ("published_at", "started_at", "created_at", "day", "last_seen_at", "history_date", "action_time")
UNDATED = {Source, Channel, get_user_model(), Subscriber}

Change = Callable[[Any], Any]


def own_tables() -> list[Table]:
    """All tables that are carried, parents before children."""
    waiting = [
        Table(model)
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model not in NOT_COPIED
    ]
    ordered, done = list[Table](), set(MAPPED)
    while waiting:
        ready = [
            table for table in waiting if all(parent in done or parent is table.model for _, parent in table.parents)
        ]
        if not ready:
            raise TypeError(f"These tables point to each other in a circle: {waiting}")
        ordered += ready
        done |= {table.model for table in ready}
        waiting = [table for table in waiting if table.model not in done]
    return ordered


class OwnStream:
    """One table, in cells of its primary key."""

    def __init__(
        self, snapshot: Snapshot, table: Table, scope: Scope, mapping: dict[type[models.Model], dict[Any, Any]]
    ) -> None:
        self.snapshot, self.main, self.scope = snapshot, table, scope
        self.name, self.targets = table.name, (table,)
        self._changes = dict(_changes(table, mapping))
        self._orphans = {} if scope.is_partial else dict(self._find_orphans())
        self._lost = set[Any]()
        columns = ", ".join(f'"{name}"' for name in table.columns)
        self._select, self._key = f'SELECT {columns} FROM "{table}"', f'"{table.key[0]}"'
        self._is_numbered = table.fields[table.key[0]].get_internal_type() in NUMBERED
        self._dated = next((place for place, name in enumerate(table.columns) if name in DATED), None)

    def count(self) -> int:
        return int(self.snapshot.value(f'SELECT count(*) FROM "{self.name}"'))

    def blocks(self) -> Iterator[Block]:
        for cell, rows in self._numbered() if self._is_numbered else self._named():
            read = list(rows)
            try:
                block = self._block(cell, read, is_careful=self.scope.is_partial)
            except Unfit:
                block = self._block(cell, read, is_careful=True)
            yield block
            if self.scope.is_used_up(self.name):
                return

    def _block(self, cell: str, rows: list[Row], *, is_careful: bool) -> Block:
        """The rows of a cell. Raises Unfit, if not careful, for one that only shows that it does not fit at the end."""
        block = Block(self.name, cell, {self.main: []}, self.main, is_careful=is_careful)
        for values in rows:
            if self.scope.admits(self.name):
                block.read += 1
                self._take(block, values)
        block.seal()
        return block

    def _numbered(self) -> Iterator[tuple[str, Iterator[Row]]]:
        size, mark = self.scope.size, self.snapshot.mark
        number = self.snapshot.value(f'SELECT min({self._key}) FROM "{self.name}"')
        while number is not None:
            low = number // size * size
            where = f"WHERE {self._key} >= {mark} AND {self._key} < {mark} ORDER BY {self._key}"
            yield str(low // size), self.snapshot.rows(f"{self._select} {where}", [low, low + size])
            beyond = f'SELECT min({self._key}) FROM "{self.name}" WHERE {self._key} >= {mark}'
            number = self.snapshot.value(beyond, [low + size])

    def _named(self) -> Iterator[tuple[str, Iterator[Row]]]:
        rows = self.snapshot.rows(f"{self._select} ORDER BY CAST({self._key} AS TEXT)" + self._collation())
        return groupby(rows, key=lambda row: cell_of(str(row[0]), self.scope.size))

    def _collation(self) -> str:
        return "" if self.snapshot.is_file else ' COLLATE "C"'

    def _take(self, block: Block, values: Row) -> None:
        try:
            row = self._converted(values)
            self._check_parents(row)
            moment = None if self._dated is None or self.main.model in UNDATED else row[self._dated]
            if reason := self.scope.reason_to_skip(moment, [(self.main, row)]):
                block.skipped[reason] += 1
                return
            block.take([(self.main, row)])
            self.scope.took([(self.main, row)])
        except Unfit as reason:
            block.quarantine(values[0], reason, dict(zip(self.main.columns, values, strict=True)))

    def _converted(self, values: Row) -> Row:
        row = list(from_file(self.main, values) if self.snapshot.is_file else from_server(self.main, values))
        for place, change in self._changes.items():
            row[place] = change(row[place])
        return held(self.main, row)

    def _check_parents(self, row: Row) -> None:
        """On a partial run the scope looks; on a full one only what the source itself lacks is missing."""
        for place, lost in self._orphans.items():
            if row[place] in lost:
                raise Unfit(f"{self.main.columns[place]} points to a row that is not there: {row[place]}")

    def _find_orphans(self) -> Iterator[tuple[int, set[Any]]]:
        for place, parent in self.main.parents:
            if parent in MAPPED:
                continue
            column, other, pk = self.main.columns[place], parent._meta.db_table, parent._meta.pk.column
            found = self.snapshot.rows(
                f'SELECT DISTINCT c."{column}" FROM "{self.main}" c LEFT JOIN "{other}" p ON c."{column}" = p."{pk}" '
                f'WHERE c."{column}" IS NOT NULL AND p."{pk}" IS NULL'
            )
            if lost := {row[0] for row in found}:
                yield place, lost


NUMBERED = {"AutoField", "BigAutoField", "SmallAutoField", "IntegerField", "BigIntegerField"}


def from_server(table: Table, values: Row) -> Row:
    """A row as Django's connection to PostgreSQL gives it: only JSON comes as text."""
    return tuple(
        codec.from_sqlite(value) if codec.from_sqlite and isinstance(value, str) else value
        for codec, value in zip(table.codecs, values, strict=True)
    )


def held(table: Table, row: list[Any]) -> Row:
    """The row, with what would send something by itself stopped."""
    places = {name: place for place, name in enumerate(table.columns)}
    if table.model is Publication and row[places["state"]] in {str(state) for state in Publication.IN_LINE}:
        row[places["state"]], row[places["reason"]] = Publication.State.HELD.value, HELD_BY_TRANSFER
    if table.model is Channel and not row[places["is_paused"]]:
        row[places["is_paused"]], row[places["pause_reason"]] = True, PAUSED_BY_TRANSFER
    return tuple(row)


def _changes(table: Table, mapping: dict[type[models.Model], dict[Any, Any]]) -> Iterator[tuple[int, Change]]:
    for place, parent in table.parents:
        if parent in mapping:
            yield place, _mapped(mapping[parent], parent._meta.verbose_name)


def _mapped(numbers: dict[Any, Any], what: object) -> Change:
    def change(value: Any) -> Any:
        if value is None:
            return None
        if value not in numbers:
            raise Unfit(f"points to a {what} that this version does not know: {value}")
        return numbers[value]

    return change


class OwnSource:
    """A whole database of ours. `origin` is the moment its first migration was applied: no two databases share it."""

    kind = "own"
    must_be_empty = SIGNS_OF_USE

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot, self.label = snapshot, snapshot.label
        first = snapshot.value("SELECT CAST(applied AS TEXT) FROM django_migrations ORDER BY id LIMIT 1")
        self.origin = "own-" + sha256(str(first).encode()).hexdigest()[:32]
        self.tables = own_tables()
        self._check_schema()

    def _check_schema(self) -> None:
        """Raise TransferError unless the source has the schema of this version."""
        present = self.snapshot.tables()
        missing = [
            table.name
            for table in self.tables
            if table.name not in present or not set(table.columns) <= set(self.snapshot.columns(table.name))
        ]
        if missing:
            raise TransferError(
                f"{self.label} was made by an older version ({missing[0]} is not as it is now). "
                "Run `manage.py migrate` there first, with DATABASE_URL set to it."
            )
        known = set(MigrationLoader(None).disk_migrations or {})
        ours = {app for app, _ in known}
        applied = set(self.snapshot.rows("SELECT app, name FROM django_migrations"))
        if unknown := sorted(f"{app}.{name}" for app, name in applied if app in ours and (app, name) not in known):
            raise TransferError(f"{self.label} was made by a newer version ({unknown[0]}): update this program first.")

    def counts(self) -> dict[str, int]:
        return {table.name: int(self.snapshot.value(f'SELECT count(*) FROM "{table}"')) for table in self.tables}

    def left_out(self) -> dict[str, tuple[int, str]]:
        """Tables that are not carried at all: how many rows they have, and why."""
        names = {model._meta.db_table: reason for model, reason in LEFT_OUT.items()}
        return {
            name: (int(self.snapshot.value(f'SELECT count(*) FROM "{name}"')), reason) for name, reason in names.items()
        }

    def prepare(
        self, target: Target | None, settings: dict[str, Any], chosen: set[str], *, is_first: bool
    ) -> dict[str, Any]:
        """Make room: what migrations have put into a new database gives way to what comes."""
        if target is not None and is_first:
            for table in reversed(self.tables):
                if table.name in chosen:
                    table.model._base_manager.using(target.alias).all()._raw_delete(target.alias)
        return settings

    def streams(
        self, target: Target | None, scope: Scope, settings: dict[str, Any], chosen: set[str]
    ) -> list[OwnStream]:
        mapping = (
            {} if target is None else {ContentType: self._content_types(target), Permission: self._permissions(target)}
        )
        return [OwnStream(self.snapshot, table, scope, mapping) for table in self.tables if table.name in chosen]

    def _content_types(self, target: Target) -> dict[Any, Any]:
        here = {(each.app_label, each.model): each.pk for each in ContentType.objects.using(target.alias).all()}
        rows = self.snapshot.rows("SELECT id, app_label, model FROM django_content_type")
        return {number: here[app, model] for number, app, model in rows if (app, model) in here}

    def _permissions(self, target: Target) -> dict[Any, Any]:
        named = ("codename", "content_type__app_label", "content_type__model")
        here = {tuple(names): pk for pk, *names in Permission.objects.using(target.alias).values_list("pk", *named)}
        rows = self.snapshot.rows(
            "SELECT p.id, p.codename, c.app_label, c.model FROM auth_permission p "
            "JOIN django_content_type c ON c.id = p.content_type_id"
        )
        return {number: here[tuple(names)] for number, *names in rows if tuple(names) in here}
