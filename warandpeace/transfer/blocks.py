"""What a reader hands over: the rows of one cell of one stream, and an account of every row that was read for them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from warandpeace.transfer.batches import Batch, Row, pack_marks
from warandpeace.transfer.tables import Table

# Longer reasons are cut: they may quote the server.
LONGEST_REASON = 500


@dataclass(frozen=True)
class Quarantined:
    """A row the target can't hold: where it lay, why, and its original values."""

    key: str
    reason: str
    original: dict[str, Any]
    is_whole: bool = True  # False: only a part of what the source's row becomes; the row itself was transferred


@dataclass
class Block:
    """`read` = `transferred` + merged + quarantined + skipped, always: `left` is what is not accounted for."""

    stream: str
    cell: str
    rows: dict[Table, Batch]  # parents first
    main: Table  # a source's row is transferred when its row of this table is
    read: int = 0
    transferred: int = 0
    merged: list[tuple[str, str]] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    corrected: int = 0  # rows that a person has put right
    is_careful: bool = False  # each row is encoded when it is taken, so that one that does not fit is known
    _loose: dict[Table, list[Row]] = field(default_factory=lambda: defaultdict(list))

    @property
    def left(self) -> int:
        return self.read - self.transferred - len(self.merged) - self.lost - self.skipped.total()

    @property
    def lost(self) -> int:
        """How many of the source's rows went to quarantine as a whole."""
        return sum(row.is_whole for row in self.quarantined)

    @property
    def marks(self) -> bytes:
        """What the block's rows are, sorted: the same for the same rows."""
        return pack_marks([mark for batch in self.rows.values() for mark in batch.marks])

    def take(self, rows: Iterable[tuple[Table, Row]]) -> None:
        """Add all rows that one row of the source becomes, or none of them. Raises Unfit, if careful."""
        if self.is_careful:
            for table, packed in [(table, table.pack([row])) for table, row in rows]:
                self.rows[table].add(packed)
        else:
            for table, row in rows:
                self._loose[table].append(row)
        self.transferred += 1

    def take_columns(self, table: Table, columns: Mapping[str, Sequence[Any]], common: Mapping[str, Any]) -> None:
        """Add rows that come by the column, if there are any. Raises Unfit: then begin anew, carefully."""
        if any(columns.values()):
            self.rows[table].add(table.pack_columns(columns, common))

    def seal(self) -> None:
        """Encode what was taken, all at once. Raises Unfit if any row does not fit: then begin anew, carefully."""
        for table, rows in self._loose.items():
            self.rows[table].add(table.pack(rows))
        self._loose.clear()

    def quarantine(self, key: object, reason: object, original: dict[str, Any]) -> None:
        self.quarantined.append(Quarantined(str(key)[:200], str(reason)[:LONGEST_REASON], original))

    def merge(self, key: object, into: object) -> None:
        self.merged.append((str(key), str(into)))


class Stream(Protocol):
    """One table of the source. Blocks come in a fixed order and are cut at the same keys in every run."""

    @property
    def name(self) -> str: ...

    @property
    def targets(self) -> tuple[Table, ...]: ...

    def count(self) -> int:
        """How many rows the source's table has, in its snapshot."""

    def passed_over(self) -> int:
        """How many of them are not read, because all of them are known to be before --since."""

    def blocks(self) -> Iterator[Block]:
        """Every row of the stream, converted; never raises for what is in a row."""


def cell_of(key: object, size: int) -> str:
    """The cell a key belongs to: ranges of numbers, and beginnings of texts (which come sorted by their bytes)."""
    return str(key // size) if isinstance(key, int) else str(key)[:2]
