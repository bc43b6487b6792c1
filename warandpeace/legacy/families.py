"""Which old rows are one thing of today: knowledge of the whole file, in a temporary one, so that memory stays flat."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing
from typing import Any

SCHEMA = "CREATE TABLE {0} (id INTEGER PRIMARY KEY, key TEXT NOT NULL)"
# Made when all keys of a table are in: who shares a key, and who is the first of them.
INDEXES = """
CREATE INDEX {0}_key ON {0} (key, id);
CREATE TABLE {0}_twin (id INTEGER PRIMARY KEY, leader INTEGER NOT NULL);
INSERT INTO {0}_twin SELECT a.id, d.leader FROM
  (SELECT key, min(id) AS leader FROM {0} GROUP BY key HAVING count(*) > 1) d JOIN {0} a ON a.key = d.key;
CREATE INDEX {0}_twin_leader ON {0}_twin (leader, id);
"""


class Families:
    """Rows of an old table that share a key are a family; its leader is the one with the smallest number.

    Numbers are SQLite's rowids, which are the rows' ids wherever those are sound. A row without a valid key has none.
    """

    def __init__(self) -> None:
        # An empty name is a temporary file which SQLite deletes by itself, whatever becomes of this process.
        self.file = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self.file.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8000;")
        self._names = set[str]()

    def add(self, name: str, keys: Iterable[tuple[int, str]]) -> None:
        self.file.execute(SCHEMA.format(name))
        self.file.execute("BEGIN")
        self.file.executemany(f"INSERT INTO {name} VALUES (?, ?)", keys)
        self.file.execute("COMMIT")
        self.file.executescript(INDEXES.format(name))
        self._names.add(name)

    def keys(self, name: str, low: int, high: int) -> dict[int, str]:
        """The keys of a range of rows."""
        return self._pairs(f"SELECT id, key FROM {name} WHERE id >= ? AND id < ?", [low, high])

    def twins(self, name: str, low: int, high: int) -> dict[int, int]:
        """Which rows of a range share their key with others, each with its leader."""
        return self._pairs(f"SELECT id, leader FROM {name}_twin WHERE id >= ? AND id < ?", [low, high])

    def members(self, name: str, key: str) -> list[int]:
        """All rows with this key, the leader first; none if the table isn't there."""
        if name not in self._names:
            return []
        return [row[0] for row in self.file.execute(f"SELECT id FROM {name} WHERE key = ? ORDER BY id", [key])]

    def known(self, name: str, keys: Iterable[str]) -> set[str]:
        """Which of the keys any row has."""
        if name not in self._names:
            return set()
        sql = f"SELECT DISTINCT key FROM {name} WHERE key IN (SELECT value FROM json_each(?))"
        return {row[0] for row in self.file.execute(sql, [json.dumps(list(keys))])}

    def leader(self, name: str, number: int) -> int:
        """The first of a row's family; itself if it has none."""
        leader = self._first(f"SELECT leader FROM {name}_twin WHERE id = ?", number)
        return number if leader is None else leader

    def twin_numbers(self, name: str, leader: int) -> list[int]:
        """A leader and its twins as they were in the file, whatever became of them; none for a row without twins."""
        sql = f"SELECT id FROM {name}_twin WHERE leader = ? ORDER BY id"
        return [row[0] for row in self.file.execute(sql, [leader])]

    def twins_elsewhere(self, name: str, cells: Collection[int], size: int) -> int:
        """How many rows outside of some cells have a leader within them."""
        if not cells:
            return 0
        twins = self.file.execute(f"SELECT id, leader FROM {name}_twin")
        return sum(leader // size in cells and number // size not in cells for number, leader in twins)

    def has(self, name: str, number: int) -> bool:
        return self._first(f"SELECT 1 FROM {name} WHERE id = ?", number) is not None

    def settle(self, name: str, numbers: list[int], survivor: int | None, key: str) -> None:
        """Note what became of rows: they are this one now, or nothing (quarantine)."""
        self.file.executemany(f"DELETE FROM {name} WHERE id = ?", [(number,) for number in numbers])
        if survivor is not None:
            self.file.execute(f"INSERT OR REPLACE INTO {name} VALUES (?, ?)", [survivor, key])

    def _pairs(self, sql: str, parameters: list[int]) -> dict[int, Any]:
        return dict(self.file.execute(sql, parameters))

    def _first(self, sql: str, parameter: object) -> int | None:
        with closing(self.file.execute(sql, [parameter])) as cursor:
            row: tuple[int] | None = cursor.fetchone()
        return None if row is None else row[0]
