"""One old table, read in cells of its rowid, and converted row by row or family by family."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from functools import cached_property
from typing import Any, Generic, TypeVar

from warandpeace.legacy.families import Families
from warandpeace.legacy.values import Old
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
Thing = TypeVar("Thing")


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


class MergedInto(Exception):
    """The row is part of something that is there already."""


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


class FamilyStream(LegacyStream, Generic[Thing]):
    """A table some of whose rows belong together. A family is handled, and accounted for, where its leader lies."""

    key_columns: tuple[str, ...]

    @abstractmethod
    def family_key(self, old: Old) -> str:
        """What rows of one family share. Raises Unfit."""

    @abstractmethod
    def understood(self, old: Old) -> Thing:
        """What the row says; `old["key"]` is its family's key. Raises Unfit, or MergedInto."""

    @abstractmethod
    def united(self, members: list[Thing]) -> Iterator[tuple[Thing, list[Thing]]]:
        """What becomes of the sound members of a family: things that go on, each with those it has swallowed."""

    @abstractmethod
    def today(self, thing: Thing) -> New:
        """Today's rows. Raises Unfit."""

    def label(self, thing: Thing) -> object:
        """How a thing is called where merges are reported."""
        return getattr(thing, "id", thing)

    def meet(self) -> None:
        """Find the families: one look at the columns that make the key, before anything is converted."""
        self.setting.families.add(self.name, self._keys())

    def _keys(self) -> Iterator[tuple[int, str]]:
        present = set(self.setting.snapshot.columns(self.name))
        chosen = (name if name in present else f"NULL AS {name}" for name in self.key_columns)
        names = ("rowid", *self.key_columns)
        for values in self.setting.snapshot.rows(f"SELECT rowid, {', '.join(chosen)} FROM {self.name}"):
            old = dict(zip(names, values, strict=True))
            try:
                yield values[0], self.family_key(self._put_right(old) if self._corrections else old)
            except Unfit:
                continue

    def fill(self, block: Block, low: int, high: int) -> None:
        families, scope = self.setting.families, self.setting.scope
        keys, twins = families.keys(self.name, low, high), families.twins(self.name, low, high)
        alone = {number: keys[number] for number in keys.keys() - twins.keys()} if twins else keys
        for old in self.one_by_one(block, low, high, alone):
            number = old["rowid"]
            leader = twins.get(number, number)
            if leader != number:
                continue  # accounted for where its leader was
            if not scope.admits(self.name):
                return
            old["key"] = keys.get(number)
            self._take_family(block, self._family(old["key"]) if number in twins else [old])

    def one_by_one(self, block: Block, low: int, high: int, alone: dict[int, str]) -> Iterator[Old]:
        """The rows of a cell that are converted one by one: all of them, if the stream knows no quicker way.

        `alone` are the keys of those that share them with no other row.
        """
        return self.rows(CELL, [low, high])

    def _family(self, key: str) -> list[Old]:
        numbers = self.setting.families.members(self.name, key)
        places = ", ".join("?" * len(numbers))
        return [old | {"key": key} for old in self.rows(f"WHERE rowid IN ({places}) ORDER BY rowid", list(numbers))]

    def _take_family(self, block: Block, family: list[Old]) -> None:
        sound = list[Thing]()
        for old in family:
            block.read += 1
            try:
                if old["key"] is None:
                    self.family_key(old)
                thing = self.understood(old)
                for table, row in self.today(thing) if len(family) > 1 else ():
                    table.pack([row])
            except Unfit as reason:
                self.quarantine(block, old, reason)
            except MergedInto as other:
                block.merge(old["rowid"], other)
            else:
                sound.append(thing)
        taken = [thing for thing, swallowed in self.united(sound) if self._take(block, thing, swallowed, family)]
        if len(family) > 1 or not taken or self.number(taken[0]) != family[0]["rowid"]:
            self._unsettled.append((family, taken))

    def _take(self, block: Block, thing: Thing, swallowed: list[Thing], family: list[Old]) -> bool:
        try:
            if not self.take(block, list(self.today(thing)), 1 + len(swallowed)):
                return False
        except Unfit as reason:  # only a family of one: larger ones were tried before
            self.quarantine(block, family[0], reason)
            return False
        for other in swallowed:
            block.merge(self.label(other), self.label(thing))
        return True

    def number(self, thing: Thing) -> object:
        """The row's number that a thing goes on with."""
        return getattr(thing, "id", None)

    def blocks(self) -> Iterator[Block]:
        for block in super().blocks():
            for family, taken in self._unsettled:
                self.settled(family, taken)
            yield block

    def _block(self, low: int, high: int, *, is_careful: bool) -> Block:
        self._unsettled = list[tuple[list[Old], list[Thing]]]()  # again, where the cell is begun anew
        return super()._block(low, high, is_careful=is_careful)

    def settled(self, family: list[Old], taken: list[Thing]) -> None:
        """Told of every family that is not simply one row under its own number."""
