"""An old table some of whose rows are one thing of today, converted family by family."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Generic, TypeVar

from warandpeace.legacy.stream import CELL, LegacyStream, New
from warandpeace.legacy.values import Old
from warandpeace.transfer.blocks import Block
from warandpeace.transfer.errors import Unfit

Thing = TypeVar("Thing")


class MergedInto(Exception):
    """The row is part of something that is there already."""


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
