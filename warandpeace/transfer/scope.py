"""How much of the source is asked for: `--tables`, `--limit`, `--since`, and which parents that leaves out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import models

from warandpeace.transfer.batches import Row
from warandpeace.transfer.tables import Table
from warandpeace.transfer.target import Target

BEFORE = "before --since"
NO_PARENT = "belongs to a row that was not asked for"


@dataclass
class Scope:
    """`size` is how many keys a cell spans. A scope that asks for everything costs nothing and remembers nothing."""

    size: int
    limit: int | None = None
    since: datetime | None = None
    is_partial: bool = False
    target: Target | None = None
    _read: Counter[str] = field(default_factory=Counter)
    _taken: dict[type[models.Model], set[Any]] = field(default_factory=lambda: defaultdict(set))

    def admits(self, stream: str) -> bool:
        """Count one more row of a stream; False if it is beyond the limit."""
        if self.limit is None:
            return True
        if self.is_used_up(stream):
            return False
        self._read[stream] += 1
        return True

    def is_used_up(self, stream: str) -> bool:
        return self.limit is not None and self._read[stream] >= self.limit

    def reason_to_skip(self, moment: datetime | date | None, rows: Iterable[tuple[Table, Row]]) -> str:
        """Why rows that came of one row of the source are not wanted, or nothing."""
        if self.since is not None and moment is not None and self._is_before(moment):
            return BEFORE
        return NO_PARENT if self.is_partial and self._lacks_parent(list(rows)) else ""

    def _is_before(self, moment: datetime | date) -> bool:
        assert self.since is not None  # noqa: S101  for the type checker; the caller has looked
        return moment < self.since if isinstance(moment, datetime) else moment < self.since.date()

    def took(self, rows: Iterable[tuple[Table, Row]]) -> None:
        """Remember rows that others may point to."""
        if self.is_partial:
            for table, row in rows:
                self._taken[table.model].add(row[0])

    def _lacks_parent(self, rows: list[tuple[Table, Row]]) -> bool:
        together = {(table.model, row[0]) for table, row in rows}
        for table, row in rows:
            for place, parent in table.parents:
                value = row[place]
                known = value is None or (parent, value) in together or value in self._taken[parent]
                if not known and not (self.target and self.target.existing(parent, [value])):
                    return True
        return False
