"""One old table, read in cells of its rowid, and converted row by row or by the column."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from functools import cached_property
from typing import Any

from warandpeace.legacy.families import Families
from warandpeace.legacy.values import Columns, Old, demand
from warandpeace.transfer.batches import Batch, Row
from warandpeace.transfer.blocks import Block
from warandpeace.transfer.corrections import Corrections
from warandpeace.transfer.errors import Unfit
from warandpeace.transfer.scope import Scope
from warandpeace.transfer.snapshot import Snapshot
from warandpeace.transfer.tables import Table

New = Iterable[tuple[Table, Row]]
DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*"
CELL = "WHERE rowid >= ? AND rowid < ? ORDER BY rowid"


@dataclass(frozen=True)
class Setting:
    """What all streams of a file share.

    `corrections` are rows that a person has put right;
    `zone` is what a naive `published_at` means; `numbering` is what is added to a number to get one for a row that has
    none of its own (`articles`, `summaries`, `publications`); `users` are today's, by name.
    """

    snapshot: Snapshot
    families: Families
    zone: tzinfo
    scope: Scope
    source_id: int
    channel_id: int
    numbering: dict[str, int]
    users: dict[str, int]
    corrections: Corrections


class LegacyStream(ABC):
    """Reads its columns, whichever of them the file has, and converts what is in them."""

    name: str
    main: Table
    targets: tuple[Table, ...]
    old_columns: tuple[str, ...]
    dated: str = ""  # the column of the main table that --since looks at
    day_in: str = ""  # the old column that says so: its text begins with the day, in whatever zone

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        present = set(setting.snapshot.columns(self.name))
        chosen = (self.expression(name, is_there=name in present) for name in self.old_columns)
        self._corrections = setting.corrections.get(self.name, {})
        self._corrected = set[int]()
        self.select = f"SELECT rowid, {', '.join(chosen)} FROM {self.name}"

    def expression(self, column: str, *, is_there: bool) -> str:
        """How a column is read; one that the file doesn't have, as NULL."""
        return column if is_there else f"NULL AS {column}"

    def count(self) -> int:
        return int(self.setting.snapshot.value(f"SELECT count(*) FROM {self.name}"))

    def blocks(self) -> Iterator[Block]:
        for low, high in self._ranges():
            try:
                block = self._block(low, high, is_careful=self.setting.scope.is_partial)
            except Unfit:
                block = self._block(low, high, is_careful=True)
            yield block
            if self.setting.scope.is_used_up(self.name):
                return

    def _block(self, low: int, high: int, *, is_careful: bool) -> Block:
        """The rows of a cell. Raises Unfit, if not careful, for one that only shows that it does not fit at the end."""
        cell = str(low // self.setting.scope.size)
        block = Block(self.name, cell, {table: Batch() for table in self.targets}, self.main, is_careful=is_careful)
        self._corrected.clear()
        self.fill(block, low, high)
        block.seal()
        block.corrected = len(self._corrected)
        return block

    def _ranges(self) -> Iterator[tuple[int, int]]:
        """The cells that have rows, but for those that are passed over."""
        size, value = self.setting.scope.size, self.setting.snapshot.value
        number = value(f"SELECT min(rowid) FROM {self.name}")
        while number is not None:
            low = number // size * size
            if low // size not in self.early:
                yield low, low + size
            number = value(f"SELECT min(rowid) FROM {self.name} WHERE rowid >= ?", [low + size])

    @cached_property
    def early(self) -> dict[int, int]:
        """Cells all of whose rows are before --since, with their numbers of rows.

        The old file has no index to ask; but one look at the days spares reading the texts. Two days cover every zone,
        and a text that begins with no day may be anything: its cell is read.
        """
        since = self.setting.scope.since
        if since is None or not self.day_in or self._corrections:
            return {}
        bound = (since - timedelta(days=2)).date().isoformat()
        is_early = f"typeof({self.day_in}) = 'text' AND {self.day_in} GLOB ? AND {self.day_in} < ?"
        size = self.setting.scope.size
        cell = f"(rowid - (rowid % {size} + {size}) % {size}) / {size}"  # as Python divides, below nought too
        sql = f"SELECT {cell}, count(*) FROM {self.name} GROUP BY 1 HAVING min({is_early})"
        return dict(self.setting.snapshot.rows(sql, [DAY, bound]))

    def passed_over(self) -> int:
        return sum(self.early.values())

    @abstractmethod
    def fill(self, block: Block, low: int, high: int) -> None:
        """Convert the old rows with these row ids, `high` excluded, into the block."""

    def rows(self, where: str, parameters: list[Any]) -> Iterator[Old]:
        return map(self.old, self.setting.snapshot.rows(f"{self.select} {where}", parameters))

    def old(self, values: tuple[Any, ...]) -> Old:
        """An old row by the names of its columns, as a person has put it right."""
        old = dict(zip(("rowid", *self.old_columns), values, strict=True))
        return self._put_right(old) if self._corrections else old

    def _put_right(self, old: Old) -> Old:
        changes = self._corrections.get(str(old["rowid"]))
        if changes is None:
            return old
        self._corrected.add(old["rowid"])
        return old | dict(changes)

    def take(self, block: Block, new: list[tuple[Table, Row]], old_rows: int) -> bool:
        """Today's rows of so many old ones into the block, unless they are out of scope. Raises Unfit."""
        scope = self.setting.scope
        if scope.is_partial and (reason := scope.reason_to_skip(self._moment(new), new)):
            block.skipped[reason] += old_rows
            return False
        block.take(new)
        scope.took(new)
        return True

    def quarantine(self, block: Block, old: Old, reason: Unfit) -> None:
        block.quarantine(old["rowid"], reason, {name: old[name] for name in self.old_columns if name in old})

    def _moment(self, new: list[tuple[Table, Row]]) -> Any:
        if not self.dated:
            return None
        main = next(row for table, row in new if table == self.main)
        return main[self.main.columns.index(self.dated)]


class RowStream(LegacyStream):
    """A table whose rows stand for themselves."""

    @abstractmethod
    def convert(self, old: Old) -> New:
        """Today's rows of one old row. Raises Unfit."""

    def fill(self, block: Block, low: int, high: int) -> None:
        for old in self.rows(CELL, [low, high]):
            if not self.setting.scope.admits(self.name):
                return
            block.read += 1
            try:
                self.take(block, list(self.convert(old)), 1)
            except Unfit as reason:
                self.quarantine(block, old, reason)


class ColumnStream(RowStream):
    """Such a table with very many rows: a cell in which nothing is odd goes by the column, twice as fast."""

    @abstractmethod
    def convert_columns(self, old: Columns) -> Columns:
        """What `convert` makes of each row, by the column. Raises Unfit if anything is odd."""

    def fill(self, block: Block, low: int, high: int) -> None:
        rows = list(self.setting.snapshot.rows(f"{self.select} {CELL}", [low, high]))
        try:
            demand(not block.is_careful and not self._corrections and bool(rows))
            _, *columns = zip(*rows, strict=True)
            new = self.convert_columns(dict(zip(self.old_columns, columns, strict=True)))
        except Unfit:
            super().fill(block, low, high)
            return
        block.read += len(rows)
        block.transferred += len(rows)
        block.take_columns(self.main, new, {})
