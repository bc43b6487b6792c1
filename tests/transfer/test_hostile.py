"""Rows that no database should hold: each is taken over, or kept aside with its reason; none stops the transfer."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management import call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from articles.models import Article
from tests import migrated
from tests.transfer.conftest import Database
from warandpeace.transfer.models import QuarantinedRow

COLUMNS = ("url", "canonical_link", "title", "published_at", "content", "summary_text", "created_at", "updated_at")
TYPELESS = f"CREATE TABLE articles (id INTEGER PRIMARY KEY, {', '.join(COLUMNS)}, backfill_status)"

links = st.integers(1, 4).map(lambda n: f"https://news.example/{n}") | st.sampled_from(
    ["https://news.example/1/", "HTTP://news.example:80/1#x", "https://пример.рф/новость", "ftp://x/", "http://", "x"]
)
dates = st.sampled_from(
    [
        "2025-08-12T12:32:00",
        "2025-08-12 12:32:00+00:00",
        "0001-01-01",
        "9999-12-31T23:59:59",
        "2025-13-45",
        "вчера",
        "0",
    ]
)
texts = st.text(max_size=20) | st.sampled_from(["", "Текст", "с \0 внутри", "x" * 1001, "Ошибка при получении резюме"])
wild = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.binary(max_size=9)
broken_utf8 = st.sampled_from([b"\xed\xa0\x80", b"\xff\xfe", b"\xd0"])  # stored as TEXT below
rows = st.tuples(
    links | wild | broken_utf8,
    links | wild,
    texts | wild | broken_utf8,
    dates | wild,
    texts | wild | broken_utf8,
    texts | wild | broken_utf8,
    dates | wild,
    dates | wild,
)


def hostile_file(folder: Path, content: list[tuple[Any, ...]]) -> Path:
    path = folder / "hostile.db"
    with closing(sqlite3.connect(path)) as file:
        file.execute(TYPELESS)
        for row in content:
            kinds = ("CAST(? AS TEXT)" if isinstance(value, bytes) and len(value) < 4 else "?" for value in row)
            clean = [value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value for value in row]
            places = (
                "CAST(? AS TEXT)" if isinstance(value, str) else kind for value, kind in zip(row, kinds, strict=True)
            )
            file.execute(f"INSERT INTO articles ({', '.join(COLUMNS)}) VALUES ({', '.join(places)})", clean)
        file.commit()
    return path


@given(st.lists(rows, min_size=1, max_size=12))
@examples(max_examples=150, deadline=None)
def test_every_row_of_a_hostile_file_is_accounted_for(content: list[tuple[Any, ...]]) -> None:
    with TemporaryDirectory() as folder:
        path, report = hostile_file(Path(folder), content), Path(folder) / "report.json"
        options = ("--to", f"{folder}/new.sqlite3", "--dry-run", "--report", str(report))

        call_command("transfer", "--from", str(path), *options, stdout=StringIO())

        account = json.loads(report.read_text())["tables"]["articles"]
        assert account["transferred"] + account["merged"] + account["quarantined"] == len(content)


@given(st.lists(rows, min_size=10, max_size=40))
@examples(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_said_to_fit_does_fit_into_the_database(tmp_path: Path, content: list[tuple[Any, ...]]) -> None:
    target = Database(migrated.new_database(tmp_path))
    with TemporaryDirectory() as folder:
        said = target.take(hostile_file(Path(folder), content))

    assert "Proved" in said
    assert not target.rows(QuarantinedRow).filter(reason__contains="refuses").exists()


def test_the_original_bytes_are_kept(tmp_path: Path, target: Database) -> None:
    row = ("https://news.example/1", None, b"\xff\xfe", "2025-08-12", "с \0 внутри", None, None, None)

    target.take(hostile_file(tmp_path, [row]))

    kept = target.rows(QuarantinedRow).get()
    assert kept.reason == "title is not valid UTF-8"
    assert kept.original["title"] == {"hex": "fffe"}
    assert kept.original["content"] == {"hex": "с \0 внутри".encode().hex()}
    assert kept.original["url"] == "https://news.example/1"


def test_the_quarantine_is_written_to_a_file_too(tmp_path: Path, target: Database) -> None:
    row = ("https://news.example/1", None, "Заголовок", "вчера", None, None, None, None)

    said = target.take(hostile_file(tmp_path, [row]))

    path = Path(said.partition("original values: ")[2].partition("\n")[0])
    assert path.is_relative_to(settings.VAR_DIR)
    line = json.loads(path.read_text().splitlines()[0])
    assert (line["table"], line["key"], line["original"]["title"]) == ("articles", "1", "Заголовок")


def test_a_broken_twin_does_not_take_its_sound_one_along(tmp_path: Path, target: Database) -> None:
    sound = ("https://news.example/1", None, "Заголовок", "2025-08-12", "Текст", None, None, None)
    broken = ("https://news.example/1/", None, "Заголовок", "вчера", "Текст", None, None, None)

    target.take(hostile_file(tmp_path, [broken, sound]))

    assert target.rows(Article).get().pk == 2
    assert target.rows(QuarantinedRow).get().source_key == "1"
