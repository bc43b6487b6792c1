"""Killed with -9 at any point, a transfer goes on and ends equal."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path
from random import Random
from typing import Any

from django.core.management import call_command
from django.db import connections

from tests.legacy_files import build
from tests.transfer.conftest import Database
from warandpeace.legacy.reading import STREAMS
from warandpeace.transfer.indexes import Indexes
from warandpeace.transfer.models import Transfer, TransferBlock

KILLS = 20
PROCESSES = multiprocessing.get_context("fork")


def contents(database: Database) -> dict[str, list[dict[str, Any]]]:
    """All rows that came out of the old file."""
    tables = {table for stream in STREAMS for table in stream.targets}
    return {table.name: database.values(table.model) for table in tables}


def run(path: Path, url: str) -> None:
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        call_command("transfer", "--from", str(path), "--to", url, "--batch-size", "10")


def begin(path: Path, url: str) -> Any:
    connections.close_all()
    process = PROCESSES.Process(target=run, args=(path, url))
    process.start()
    return process


def test_twenty_kills_during_one_transfer_leave_no_trace(tmp_path: Path, target: Database, another: Database) -> None:
    path, random, kills = build(tmp_path / "legacy.db", 3000), Random(7), 0  # noqa: S311
    while kills < KILLS:
        before, process = target.rows(TransferBlock).count(), begin(path, target.url)
        while target.rows(TransferBlock).count() == before and process.is_alive():
            time.sleep(0.01)
        time.sleep(random.random() / 40)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert process.exitcode == -signal.SIGKILL
        kills += 1

    said = target.take(path, "--batch-size", "10", "--without-following")
    another.take(path, "--without-following")

    assert "Proved" in said
    assert contents(target) == contents(another)
    assert not target.rows(Transfer).exclude(rebuild=[]).exists()
    assert not target.rows(Transfer).filter(state=Transfer.State.RUNNING).exists()


def test_indexes_that_a_killed_run_had_dropped_are_built_by_the_next(
    tmp_path: Path, target: Database, monkeypatch: Any
) -> None:
    monkeypatch.setattr("warandpeace.transfer.indexes.REBUILD_FROM", 1)
    path, before = build(tmp_path / "legacy.db", 300), indexes(target)
    with monkeypatch.context() as stuck:
        stuck.setattr(Indexes, "_build", lambda *_statement: time.sleep(600))
        process = begin(path, target.url)
    while not target.rows(TransferBlock).exists() and process.is_alive():
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.join()

    during = indexes(target)
    target.take(path)

    assert during < before
    assert indexes(target) == before


def indexes(database: Database) -> set[str]:
    """The names of all indexes and keys of articles."""
    connection = connections[database.rows(Transfer).db]
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "articles_article")
    return {name for name, facts in found.items() if not name.startswith("__")}
