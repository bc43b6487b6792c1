"""What came of it, for people and for files."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings

from warandpeace.transfer.errors import TransferError
from warandpeace.transfer.models import QuarantinedRow, TransferBlock
from warandpeace.transfer.proof import Account
from warandpeace.transfer.run import Outcome

MOST_PROBLEMS = 20  # named on the terminal; the files have them all
COLUMNS = ("table", "rows", "transferred", "merged", "quarantined", "skipped", "kept", "proof")


def table_lines(outcome: Outcome) -> Iterator[str]:
    """The account of each table in columns, and why rows were skipped or kept."""
    rows = [COLUMNS, *(_cells(account) for account in outcome.accounts.values())]
    widths = [max(len(row[place]) for row in rows) for place in range(len(COLUMNS))]
    for row in rows:
        numbers = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        yield "  ".join([row[0].ljust(widths[0]), *numbers])
    for account in outcome.accounts.values():
        more = Counter({"beyond --limit": account.beyond, "put right by hand": account.corrected})
        for reason, count in sorted((account.skipped + account.kept + more).items()):
            yield f"  {account.name}: {count:,} {reason}"
    for name, (count, reason) in outcome.left_out.items():
        yield f"  {name}: {count:,} left out: {reason}"


def followed_lines(outcome: Outcome) -> Iterator[str]:
    """What was filled in the target afterwards, and how long that took."""
    for each in outcome.followed:
        yield f"{each.name}: {each.rows:,} rows followed in {timedelta(seconds=round(each.seconds))}"


def _cells(account: Account) -> tuple[str, ...]:
    numbers = (
        account.count,
        account.transferred,
        account.merged,
        account.quarantined,
        account.skipped.total() + account.beyond,
        account.kept.total(),
    )
    return (account.name, *(f"{number:,}" for number in numbers), "holds" if account.holds else "FAILS")


def problem_lines(outcome: Outcome) -> Iterator[str]:
    """Rows that went to quarantine or differ, as far as they fit a terminal."""
    for account in outcome.accounts.values():
        if account.balance:
            yield f"  {account.name}: {account.balance:,} rows are not accounted for"
        if account.differing_count:
            names = ", ".join(account.differing[:MOST_PROBLEMS])
            yield f"  {account.name}: {account.differing_count:,} rows differ in the target: {names}"
    for place, (table, key, reason) in enumerate(_quarantine(outcome)):
        if place == MOST_PROBLEMS:
            yield "  …"
            return
        yield f"  quarantine: {table} {key}: {reason}"


def _quarantine(outcome: Outcome) -> Iterator[tuple[str, str, str]]:
    if outcome.problems is not None:
        yield from ((each["table"], each["key"], each["reason"]) for each in outcome.problems)
    elif outcome.run is not None:
        yield from _rows(outcome).values_list("stream", "source_key", "reason").iterator()


def _rows(outcome: Outcome):  # type: ignore[no-untyped-def]
    assert outcome.run is not None  # noqa: S101  the callers look
    alias = outcome.run._state.db or "default"
    return QuarantinedRow.objects.using(alias).filter(origin=outcome.run.origin).order_by("stream", "pk")


def write_quarantine(outcome: Outcome) -> Path | None:
    """All rows in quarantine as JSON Lines in the program's own folder; nothing if there are none."""
    if outcome.run is None or not _rows(outcome).exists():
        return None
    folder = Path(settings.VAR_DIR) / "transfers"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"quarantine-{outcome.run.started_at:%Y%m%d-%H%M%S}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for row in _rows(outcome).iterator(chunk_size=500):
            line = {"table": row.stream, "key": row.source_key, "reason": row.reason, "original": row.original}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return path


def check_report(path: Path | None) -> None:
    """Raise TransferError where no report could be written in the end."""
    if path is not None and (path.is_dir() or not os.access(path.parent, os.W_OK)):
        raise TransferError(
            f"No report can be written to {path}: give --report the path of a file in a folder of yours."
        )


def write_report(outcome: Outcome, path: Path) -> None:
    """The whole account as JSON, every merge and every problem named."""
    report = outcome.as_json()
    report["merges"] = dict(_merges(outcome))
    report["quarantine"] = [
        {"table": table, "key": key, "reason": reason} for table, key, reason in _quarantine(outcome)
    ]
    path.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _merges(outcome: Outcome) -> Iterator[tuple[str, list[list[str]]]]:
    if outcome.run is None:
        return
    alias = outcome.run._state.db or "default"
    blocks = TransferBlock.objects.using(alias).filter(origin=outcome.run.origin)
    for name in outcome.accounts:
        merged = blocks.filter(stream=name).exclude(merged=[]).values_list("merged", flat=True)
        if pairs := [pair for block in merged.iterator() for pair in block]:
            yield name, pairs


def summary(outcome: Outcome) -> str:
    """One sentence for the end."""
    accounts = outcome.accounts.values()
    carried, lost = sum(each.transferred for each in accounts), sum(each.quarantined for each in accounts)
    quarantine = f", {lost:,} in quarantine" if lost else ""
    if outcome.problems is not None:
        return f"Rehearsed: {carried:,} rows would be transferred{quarantine}. Nothing was written."
    if outcome.holds:
        return f"Proved: {carried:,} rows are in {outcome.target} as they are in the source{quarantine}."
    return (
        f"NOT PROVED: {sum(each.differing_count for each in accounts):,} rows differ and "
        f"{sum(abs(each.balance) for each in accounts):,} are not accounted for. See the lines above."
    )
