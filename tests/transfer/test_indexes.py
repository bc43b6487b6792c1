"""Indexes of the tables that many rows come to: dropped before, and built again as soon as a table is complete."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.transfer.conftest import Database
from tests.transfer.test_killing import indexes
from warandpeace.legacy.article_rows import ARTICLE, SUMMARY
from warandpeace.legacy.ledgers import EVENT
from warandpeace.transfer.indexes import Indexes
from warandpeace.transfer.models import Transfer
from warandpeace.transfer.tables import Table


@dataclass
class Brings:
    """A stream, as far as its tables are concerned."""

    name: str
    targets: tuple[Table, ...]


@pytest.fixture
def done() -> list[str]:
    """What was built and looked at, in its order."""
    return []


@pytest.fixture
def dropped(done: list[str], monkeypatch: pytest.MonkeyPatch) -> Indexes:
    """Three tables that have lost their indexes; the summaries come in two streams."""
    streams: Any = [Brings("articles", (ARTICLE, SUMMARY)), Brings("summaries", (SUMMARY,)), Brings("calls", (EVENT,))]
    target: Any = None
    made = Indexes(target, Transfer(), streams, lambda: None)
    made._dropped |= {ARTICLE: ["a"], SUMMARY: ["b", "ADD CONSTRAINT x FOREIGN KEY y"], EVENT: ["c"]}
    monkeypatch.setattr(made, "_build", lambda run, statement: done.append(statement))
    monkeypatch.setattr(made, "_look_at", lambda table: done.append(str(table)))
    return made


def test_a_table_is_finished_once_no_stream_is_left_that_brings_rows_into_it(dropped: Indexes, done: list[str]) -> None:
    finished = []

    for stream in ("articles", "summaries", "calls", "calls"):
        for job in dropped._jobs_behind(stream):
            job()
        finished.append(done.copy())
        done.clear()

    assert finished == [[], ["a", "articles_article"], ["b", "articles_summary"], []]


def test_all_indexes_are_there_again_when_the_transfer_ends(
    legacy: Path, target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warandpeace.transfer.indexes.REBUILD_FROM", 1)
    before = indexes(target)

    said = target.take(legacy, "--without-following")

    assert "Proved" in said
    assert indexes(target) == before
    assert not target.rows(Transfer).exclude(rebuild=[]).exists()
