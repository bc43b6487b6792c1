"""Articles by the column: the same rows, to the byte, as one by one; whatever is odd goes one by one."""

from __future__ import annotations

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

from tests.transfer.test_hostile import hostile_file, rows
from warandpeace.legacy.articles import Articles
from warandpeace.legacy.reading import LegacySource
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


@contextmanager
def articles_of(path: Path) -> Iterator[Articles]:
    with closing(SqliteSnapshot(path)) as snapshot:
        source = LegacySource(snapshot, MOSCOW)
        settings = source.prepare(None, {}, {"articles"}, is_first=True)
        (stream,) = source.streams(None, Scope(500), settings, {"articles"})
        assert isinstance(stream, Articles)
        yield stream


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

        with articles_of(path) as stream:
            quickly = account(next(stream.blocks()))
        with articles_of(path) as stream:
            carefully = account(stream._block(0, 500, is_careful=True))

        assert quickly == carefully


def test_usual_articles_do_go_by_the_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = ("https://news.example/1/", None, "Заголовок", SECONDS[0], "Текст", None, SECONDS[0], SECONDS[1])
    monkeypatch.setattr(Articles, "understood", None)

    with articles_of(hostile_file(tmp_path, [row])) as stream:
        block = next(stream.blocks())

    assert block.transferred == 1
