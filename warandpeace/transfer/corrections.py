"""Rows that a person has put right: lines of the quarantine's file, edited and given back.

A correction stays in the target. Each later run from the same source reads it in the place of what the source says, so
that the row never goes back to quarantine, and the proof holds for what was put right.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from warandpeace.transfer.errors import TransferError
from warandpeace.transfer.models import CorrectedRow, QuarantinedRow, Transfer
from warandpeace.transfer.originals import load_original
from warandpeace.transfer.target import Target

# Table of the source → key of a row → its columns that are put right.
Corrections = Mapping[str, Mapping[str, Mapping[str, Any]]]
NONE: Corrections = {}


@dataclass(frozen=True)
class Line:
    """One line of the file: `values` are as JSON has them."""

    number: int
    table: str
    key: str
    values: dict[str, Any]


def read_lines(path: Path, columns: Mapping[str, tuple[str, ...]]) -> list[Line]:
    """The lines of a file as `report.write_quarantine` makes it. Raises TransferError with the line that is wrong."""
    try:
        written = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TransferError(f"{path} can't be read: give --retry-quarantine the file of a quarantine.") from error
    lines = [_line(path, number, text) for number, text in enumerate(written, start=1) if text.strip()]
    for line in lines:
        if line.table not in columns:
            raise TransferError(f"{path}, line {line.number}: the source has no table {line.table}.")
        if unknown := sorted(set(line.values) - set(columns[line.table])):
            raise TransferError(f"{path}, line {line.number}: {line.table} has no column {unknown[0]}.")
    return lines


def _line(path: Path, number: int, text: str) -> Line:
    try:
        written = json.loads(text)
        return Line(number, str(written["table"]), str(written["key"]), dict(written["original"]))
    except (ValueError, TypeError, KeyError) as error:
        raise TransferError(
            f"{path}, line {number}: this is no row of a quarantine. Each line is one object with table, key and "
            "original; put right what stands in original, and leave the rest."
        ) from error


def rehearsed(lines: list[Line], known: Corrections) -> Corrections:
    """What the lines say and what is known from before, as if the lines had been kept."""
    found = {table: dict(rows) for table, rows in known.items()}
    for line in lines:
        found.setdefault(line.table, {})[line.key] = load_original(line.values)
    return found


def keep(target: Target, run: Transfer, lines: list[Line]) -> int:
    """Keep what the lines put right of the rows in quarantine; how many rows that is. Other lines say nothing new."""
    done, rows = 0, CorrectedRow.objects.using(target.alias)
    with transaction.atomic(using=target.alias):
        for line in lines:
            if changes := _changes(target, run, line):
                known = rows.filter(origin=run.origin, stream=line.table, source_key=line.key).first()
                row = known or CorrectedRow(origin=run.origin, stream=line.table, source_key=line.key)
                row.transfer, row.values = run, row.values | changes
                row.save(using=target.alias)
                done += 1
    return done


def _changes(target: Target, run: Transfer, line: Line) -> dict[str, Any]:
    rows = QuarantinedRow.objects.using(target.alias)
    there = rows.filter(origin=run.origin, stream=line.table, source_key=line.key).first()
    if there is None:
        return {}
    return {name: value for name, value in line.values.items() if there.original.get(name) != value}


def kept(target: Target, origin: str) -> Corrections:
    """All corrections for rows of this source."""
    found = dict[str, dict[str, Mapping[str, Any]]]()
    for row in CorrectedRow.objects.using(target.alias).filter(origin=origin).iterator(chunk_size=500):
        found.setdefault(row.stream, {})[row.source_key] = load_original(row.values)
    return found


def corrected(names: tuple[str, ...], values: tuple[Any, ...], changes: Mapping[str, Any]) -> Iterator[Any]:
    """A row's values with those put right."""
    return (changes.get(name, value) for name, value in zip(names, values, strict=True))
