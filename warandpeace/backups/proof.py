"""What stands for the rows of a table: how many there are, and a checksum of all their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MOST_NAMED = 5


@dataclass(frozen=True)
class TableProof:
    rows: int
    checksum: str


Proof = Mapping[str, TableProof]


def differences(expected: Proof, found: Proof) -> list[str]:
    """In words, which tables are not what they should be; nothing if all are."""
    return [
        f"{table} has {_said(found.get(table))} instead of {_said(expected.get(table))}"
        for table in sorted({*expected, *found})
        if expected.get(table) != found.get(table)
    ]


def told(wrong: list[str]) -> str:
    """The first of them as one sentence's end."""
    more = f", and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
    return "; ".join(wrong[:MOST_NAMED]) + more


def _said(table: TableProof | None) -> str:
    return "no table" if table is None else f"{table.rows:,} rows ({table.checksum[:12]})"
