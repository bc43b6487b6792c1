"""Articles and API calls by the column: the same rows, to the byte, as one by one, where whatever is odd goes."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.transfer.test_hostile import hostile_file, rows, wild
from warandpeace.legacy.articles import Articles
from warandpeace.legacy.ledgers import UsageEvents
from warandpeace.legacy.reading import LegacySource
from warandpeace.legacy.stream import LegacyStream
from warandpeace.transfer.blocks import Block
from warandpeace.transfer.scope import Scope
from warandpeace.transfer.snapshot import SqliteSnapshot

MOSCOW = ZoneInfo("Europe/Moscow")
SECONDS = ["2025-08-12 09:32:45", "2025-08-12T12:32:00", "2024-02-29 23:59:59"]
ODD_TIMES = [
    "",
    None,
    "2025-08-12",
    " 2025-08-12 09:32",
    "2025-08-12T12:32+03",
    "1800-01-01 00:00:00",
    "20250812T093245",
]
times = st.sampled_from(SECONDS) | st.sampled_from([*SECONDS, *ODD_TIMES])
written = st.sampled_from([None, "", "Текст", " Резюме ", "Ошибка API: 429", "Error: no key", "два\nабзаца"])
usual = st.tuples(
    st.integers(1, 30).map(lambda n: f"https://news.example/{n}/"),
    st.none() | st.just(""),
    st.sampled_from(["Заголовок", "x", "😀"]),
    st.sampled_from([*SECONDS, "2025-08-12T12:32:00+00:00", "2025-08-12"]),
    written,
    written,
    times,
    times,
)


names = st.none() | st.sampled_from(["", "gemini", "нет связи"])
counts = st.none() | st.integers(0, 4000)
costs = st.none() | st.floats(0, 9) | st.sampled_from([0.0, 1.5e-6, 0.000188, 3])
extras = st.sampled_from([None, "", "{}", '{"chunk": 2, "ratio": 0.50}', "[1]", "no JSON"])
instants = st.sampled_from(["2025-06-21T09:00:00+00:00", "2025-06-21T09:00:00.123456+00:00", "2025-06-21 09:00:00"])
call = st.tuples(instants, *[names] * 4, *[counts] * 6, costs, names, extras)
odd_call = st.tuples(instants | wild, *[names | wild] * 4, *[counts | wild] * 6, costs | wild, names | wild, extras)


@contextmanager
def stream_of(path: Path, name: str = "articles") -> Iterator[LegacyStream]:
    with closing(SqliteSnapshot(path)) as snapshot:
        source = LegacySource(snapshot, MOSCOW)
        settings = source.prepare(None, {}, {name}, is_first=True)
        (stream,) = source.streams(None, Scope(500), settings, {name})
        yield stream


def calls_file(folder: Path, calls: list[tuple[Any, ...]]) -> Path:
    """An old file with these calls to paid APIs; SQLite keeps whatever comes into its columns."""
    path = hostile_file(folder, [])
    columns = ", ".join(UsageEvents.old_columns)
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"CREATE TABLE api_usage_events ({columns.replace('id', 'id INTEGER PRIMARY KEY', 1)})")
        places = ", ".join("?" * len(UsageEvents.old_columns))
        file.executemany(f"INSERT INTO api_usage_events VALUES ({places})", [(None, *each) for each in calls])
        file.commit()
    return path


def account(block: Block) -> tuple[Any, ...]:
    """All that a block says, its rows by their keys."""
    packed = {
        str(table): sorted(zip(batch.marks, batch.only(range(len(batch))).data, strict=True))
        for table, batch in block.rows.items()
    }
    counts = block.read, block.transferred, sorted(block.merged), block.skipped
    return packed, counts, Counter((row.key, row.reason) for row in block.quarantined)


@given(st.lists(usual, min_size=1, max_size=12) | st.lists(usual | rows, min_size=1, max_size=12))
@examples(max_examples=150, deadline=None)
def test_articles_become_the_same_by_the_column_as_one_by_one(content: list[tuple[Any, ...]]) -> None:
    with TemporaryDirectory() as folder:
        path = hostile_file(Path(folder), content)

        with stream_of(path) as stream:
            quickly = account(next(stream.blocks()))
        with stream_of(path) as stream:
            carefully = account(stream._block(0, 500, is_careful=True))

        assert quickly == carefully


def test_usual_articles_do_go_by_the_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = ("https://news.example/1/", None, "Заголовок", SECONDS[0], "Текст", None, SECONDS[0], SECONDS[1])
    monkeypatch.setattr(Articles, "understood", None)

    with stream_of(hostile_file(tmp_path, [row])) as stream:
        block = next(stream.blocks())

    assert block.transferred == 1


@given(st.lists(call, min_size=1, max_size=12) | st.lists(call | odd_call, min_size=1, max_size=12))
@examples(max_examples=100, deadline=None)
def test_calls_become_the_same_by_the_column_as_one_by_one(calls: list[tuple[Any, ...]]) -> None:
    with TemporaryDirectory() as folder:
        path = calls_file(Path(folder), calls)

        with stream_of(path, UsageEvents.name) as stream:
            quickly = account(next(stream.blocks()))
            carefully = account(stream._block(0, 500, is_careful=True))

        assert quickly == carefully


def test_usual_calls_do_go_by_the_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual_call = ("2025-06-21T09:00:00+00:00", "gemini", None, "", None, 1, 1, 200, None, 5, 0, 0.000188, None, "{}")
    monkeypatch.setattr(UsageEvents, "convert", None)

    with stream_of(calls_file(tmp_path, [usual_call]), UsageEvents.name) as stream:
        block = next(stream.blocks())

    assert block.transferred == 1
