"""One table of ours as a stream: in cells of its primary key, each row under its own number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models

from articles.models import Source
from publishing.holding import HELD_BY_TRANSFER, PAUSED_BY_TRANSFER
from publishing.models import Channel, Delivery, Mailing, Publication, Subscriber
from warandpeace.transfer.batches import Batch, Row
from warandpeace.transfer.blocks import Block, cell_of
from warandpeace.transfer.corrections import corrected
from warandpeace.transfer.errors import Unfit
from warandpeace.transfer.scope import Scope
from warandpeace.transfer.snapshot import Snapshot
from warandpeace.transfer.sqlite import from_file
from warandpeace.transfer.tables import Table

# Every database makes these itself; rows that point to them are mapped by name.
MAPPED = (ContentType, Permission)
DATED = ("published_at", "started_at", "created_at", "day", "last_seen_at", "history_date", "action_time")
# Whether a call was made for one that is being sent, the database it comes from knows.
UNSENT = {state.value for state in (Delivery.State.READY, Delivery.State.CLAIMED)}
UNDATED = {Source, Channel, get_user_model(), Subscriber}

Change = Callable[[Any], Any]


class OwnStream:
    """One table, in cells of its primary key."""

    def __init__(
        self,
        snapshot: Snapshot,
        table: Table,
        scope: Scope,
        mapping: dict[type[models.Model], dict[Any, Any]],
        corrections: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._corrections = corrections
        self.snapshot, self.main, self.scope = snapshot, table, scope
        self.name, self.targets = table.name, (table,)
        self._changes = dict(_changes(table, mapping))
        self._orphans = {} if scope.is_partial else dict(self._find_orphans())
        self._lost = set[Any]()
        columns = ", ".join(f'"{name}"' for name in table.columns)
        self._select, self._key = f'SELECT {columns} FROM "{table}"', f'"{table.key[0]}"'
        self._is_numbered = table.fields[table.key[0]].get_internal_type() in NUMBERED
        self._dated = next((place for place, name in enumerate(table.columns) if name in DATED), None)
        # With --since only what is of that day or later is read; where the column has an index, by that.
        is_bounded = scope.since is not None and self._dated is not None and table.model not in UNDATED
        self._bound = [self._in_source(scope.since)] if is_bounded else []
        column = f'"{table.columns[self._dated or 0]}"'
        self._later = f"({column} IS NULL OR {column} >= {snapshot.mark})" if is_bounded else "true"

    def _in_source(self, since: Any) -> Any:
        """The day as the source's column has it."""
        assert self._dated is not None  # noqa: S101  the caller has looked
        if self.main.fields[self.main.columns[self._dated]].get_internal_type() == "DateField":
            since = since.date()
        convert = self.main.codecs[self._dated].to_sqlite
        return convert(since) if self.snapshot.is_file and convert else since

    def count(self) -> int:
        return int(self.snapshot.value(f'SELECT count(*) FROM "{self.name}"'))

    def passed_over(self) -> int:
        if not self._bound:
            return 0
        later = self.snapshot.value(f'SELECT count(*) FROM "{self.name}" WHERE {self._later}', self._bound)
        return self.count() - int(later)

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
        block = Block(self.name, cell, {self.main: Batch()}, self.main, is_careful=is_careful)
        for values in rows:
            if self.scope.admits(self.name):
                block.read += 1
                self._take(block, self._put_right(block, values) if self._corrections else values)
        block.seal()
        return block

    def _put_right(self, block: Block, values: Row) -> Row:
        changes = self._corrections.get(str(values[0]))
        if changes is None:
            return values
        block.corrected += 1
        return tuple(corrected(self.main.columns, values, changes))

    def _numbered(self) -> Iterator[tuple[str, Iterator[Row]]]:
        size, mark, key = self.scope.size, self.snapshot.mark, self._key
        first = f'SELECT min({key}) FROM "{self.name}" WHERE {self._later}'
        number = self.snapshot.value(first, self._bound)
        while number is not None:
            low = number // size * size
            where = f"WHERE {self._later} AND {key} >= {mark} AND {key} < {mark} ORDER BY {key}"
            yield str(low // size), self.snapshot.rows(f"{self._select} {where}", [*self._bound, low, low + size])
            number = self.snapshot.value(f"{first} AND {key} >= {mark}", [*self._bound, low + size])

    def _named(self) -> Iterator[tuple[str, Iterator[Row]]]:
        order = f"WHERE {self._later} ORDER BY CAST({self._key} AS TEXT)" + self._collation()
        rows = self.snapshot.rows(f"{self._select} {order}", self._bound)
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
    if table.model is Mailing and row[places["state"]] == Mailing.State.MAKING:
        row[places["state"]] = Mailing.State.SKIPPED.value
    if table.model is Delivery and row[places["state"]] in UNSENT:
        row[places["state"]] = Delivery.State.SKIPPED.value
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
