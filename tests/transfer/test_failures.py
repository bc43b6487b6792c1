"""What can be wrong with a source or a target: a sentence that says what to do, and nothing spoiled."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import OperationalError, ProgrammingError
from django.db.migrations.recorder import MigrationRecorder

from articles.models import Article, Source
from tests.legacy_files import build, change
from tests.servers import free_port
from tests.transfer.conftest import Database
from warandpeace import databases
from warandpeace.transfer import reconcile
from warandpeace.transfer.errors import Stopped
from warandpeace.transfer.labels import label_of
from warandpeace.transfer.models import QuarantinedRow, Transfer
from warandpeace.transfer.opening import open_target
from warandpeace.transfer.progress import Progress
from warandpeace.transfer.run import Journey, Request
from warandpeace.transfer.target import Target


def refused(target: Database, source: Path | str, *arguments: str) -> str:
    with pytest.raises(CommandError) as refusal:
        target.take(Path(source) if isinstance(source, Path) else source, *arguments)  # type: ignore[arg-type]
    return str(refusal.value)


def test_a_file_that_is_not_there(tmp_path: Path, target: Database) -> None:
    assert "There is no file" in refused(target, tmp_path / "nothing.db")


def test_a_file_that_is_no_database(tmp_path: Path, target: Database) -> None:
    path = tmp_path / "letter.db"
    path.write_bytes(os.urandom(4096))

    assert "no SQLite database, or it is encrypted" in refused(target, path)


def test_a_database_of_something_else(tmp_path: Path, target: Database) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE recipes (id INTEGER)")

    assert "neither the old bot's tables nor this program's" in refused(target, path)


def test_a_file_that_is_cut_off(legacy: Path, target: Database) -> None:
    os.truncate(legacy, legacy.stat().st_size // 2)

    assert "is cut off" in refused(target, legacy)


def test_a_file_that_is_damaged_inside(legacy: Path, target: Database) -> None:
    with legacy.open("r+b") as file:
        for page in range(5, legacy.stat().st_size // 4096, 2):
            file.seek(page * 4096)
            file.write(os.urandom(512))

    assert "is damaged" in refused(target, legacy)


@pytest.fixture
def lock(legacy: Path) -> Iterator[None]:
    with closing(sqlite3.connect(legacy, isolation_level=None)) as file:
        file.execute("BEGIN EXCLUSIVE")
        yield


@pytest.mark.usefixtures("lock")
def test_a_file_that_another_program_has_locked(
    legacy: Path, target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warandpeace.transfer.snapshot.BUSY_SECONDS", 0.1)

    assert "is locked by another process" in refused(target, legacy)


def test_what_is_written_meanwhile_is_not_seen(legacy: Path, target: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    change(legacy, "PRAGMA journal_mode = WAL")
    with closing(sqlite3.connect(legacy)) as file:
        (before,) = file.execute("SELECT count(DISTINCT rtrim(url, '/')) FROM articles").fetchone()
    begin = Journey._begin

    def delete_and_begin(journey: Journey, opened: Target) -> Any:
        change(legacy, "DELETE FROM articles", "DELETE FROM pending_publications")
        return begin(journey, opened)

    monkeypatch.setattr(Journey, "_begin", delete_and_begin)
    target.take(legacy, "--tables", "articles")

    assert target.rows(Article).count() == before


def test_a_target_that_holds_other_data_is_left_alone(legacy: Path, target: Database) -> None:
    source = Source(slug="s", name="S", url="https://news.example/")
    target.rows(Source).bulk_create([source])
    values = {"url": "u", "title": "t", "published_at": "2025-01-01T00:00Z"}
    target.rows(Article).bulk_create([Article(source=source, canonical_link="https://a.example/", **values)])

    said = refused(target, legacy)

    assert "already holds other data (1 rows in articles_article)" in said
    assert not target.rows(Transfer).exists()


def test_a_server_that_does_not_answer(legacy: Path) -> None:
    nowhere = Database(f"postgres://editor:geheim@127.0.0.1:{free_port()}/newsroom")

    said = refused(nowhere, legacy)

    assert "See that the server runs" in said
    assert "geheim" not in said


def test_a_full_disk_is_said_and_the_run_goes_on_later(
    legacy: Path, target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = reconcile.Writer._inserted, iter(range(100))

    def full(*arguments):
        if next(calls) == 2:
            raise OperationalError("could not extend file: No space left on device")
        return real(*arguments)

    monkeypatch.setattr(reconcile.Writer, "_inserted", full)

    said = refused(target, legacy, "--batch-size", "20")

    assert "Make room on the target's disk" in said
    assert target.rows(Transfer).get().state == Transfer.State.INTERRUPTED
    monkeypatch.undo()
    assert "Proved" in target.take(legacy)


def test_a_file_that_may_grow_no_further(legacy: Path, file_target: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = Path(file_target.url.removeprefix("sqlite:///")).stat().st_size // 4096 + 20
    monkeypatch.setattr(databases, "SQLITE_PRAGMAS", f"{databases.SQLITE_PRAGMAS} PRAGMA max_page_count={pages};")

    said = refused(file_target, legacy)

    assert "disk is full. Make room on the target's disk" in said
    monkeypatch.undo()
    assert "Proved" in file_target.take(legacy)


@pytest.fixture
def powerless(target: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The target as somebody sees it who may read it and nothing else."""
    if target.url.startswith("sqlite"):
        monkeypatch.setattr(databases, "SQLITE_PRAGMAS", f"{databases.SQLITE_PRAGMAS} PRAGMA query_only=ON;")
        return target
    with psycopg.connect(target.url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS transfer_reader")
        connection.execute("CREATE ROLE transfer_reader LOGIN")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO transfer_reader")
    _, _, place = target.url.partition("@")
    return Database(f"postgres://transfer_reader@{place}")


def test_rights_that_are_missing(legacy: Path, powerless: Database) -> None:
    assert "The target's user must own the database" in refused(powerless, legacy)


def test_a_right_that_is_missing_on_one_table_is_no_rows_fault(
    legacy: Path, target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> None:
        raise ProgrammingError("permission denied for table articles_article")

    monkeypatch.setattr(type(open_target(target.url)), "insert", denied)

    said = refused(target, legacy)

    assert "The target's user must own the database" in said
    assert not target.rows(QuarantinedRow).exists()
    monkeypatch.undo()
    assert "Proved" in target.take(legacy)


def test_a_stop_that_is_asked_for_comes_between_two_blocks(legacy: Path, target: Database) -> None:
    answers = iter([False, False, True])
    request = Request(source=str(legacy), target=target.url, zone=UTC, batch_size=20)
    journey = Journey(request, lambda line: None, Progress(StringIO()), lambda: next(answers))

    with closing(journey), pytest.raises(Stopped):
        journey.transfer()

    assert target.rows(Transfer).get().state == Transfer.State.INTERRUPTED
    assert "Proved" in target.take(legacy)


def test_two_transfers_at_once(legacy: Path, file_target: Database) -> None:
    with open_target(file_target.url).locked() as is_ours:
        said = refused(file_target, legacy)

    assert is_ours
    assert "Another transfer into this database is running" in said


def test_an_empty_target_gets_its_schema(tmp_path: Path) -> None:
    fresh = Database(f"sqlite:///{tmp_path}/fresh.sqlite3")

    said = fresh.take(build(tmp_path / "legacy.db", 10))

    assert "its tables are made first" in said
    assert "Proved" in said


def test_a_target_with_the_tables_of_something_else(tmp_path: Path, legacy: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as file:
        file.execute("CREATE TABLE recipes (id INTEGER)")

    said = refused(Database(f"sqlite:///{tmp_path}/other.db"), legacy)

    assert "has tables, but not those of this version" in said


def test_a_table_that_the_source_lacks(legacy: Path, target: Database) -> None:
    assert "The source has no table recipes" in refused(target, legacy, "--tables", "recipes")


def test_nothing_to_verify(legacy: Path, target: Database) -> None:
    assert "Nothing of" in refused(target, legacy, "--verify-only")


@pytest.mark.parametrize(
    "url",
    [
        "postgres://user:geheim@host:5432/db",
        "postgresql+psycopg://user:ge@he:im@host/db",
        "postgres://host/db?user=u&password=geheim",
    ],
)
def test_a_label_has_no_password(url: str) -> None:
    label = label_of(url)

    assert "geheim" not in label
    assert "he:im" not in label
    assert "host" in label


@pytest.mark.parametrize("wrong", [("--limit", "0"), ("--since", "gestern"), ("--naive-timezone", "Mond")])
def test_wrong_options_are_named(legacy: Path, wrong: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match=wrong[0]):
        call_command("transfer", "--from", str(legacy), *wrong)


def leave_half_made(target: Database) -> None:
    """What a run that was killed while it made the tables leaves: the last migration of an app isn't noted."""
    target.rows(MigrationRecorder.Migration).filter(app="articles", name__startswith="0016").delete()


def test_tables_that_a_killed_run_began_to_make_are_finished(legacy: Path, target: Database) -> None:
    leave_half_made(target)

    said = target.take(legacy, "--without-following")

    assert "its tables are made first" in said
    assert "Proved" in said


def test_an_older_database_in_use_is_not_taken_for_a_half_made_one(legacy: Path, target: Database) -> None:
    leave_half_made(target)
    target.rows(Source).bulk_create([Source(slug="s", name="S", url="https://news.example/")])

    assert "run `manage.py migrate` there first" in refused(target, legacy)


def test_what_follows_the_migrations_is_made_up_for(legacy: Path, target: Database) -> None:
    target.rows(Permission).delete()

    target.take(legacy, "--without-following")

    assert target.rows(Permission).filter(codename="change_article").exists()


@pytest.mark.either_database
@pytest.mark.parametrize(
    ("place", "words"), [("nowhere/new.sqlite3", "There is no folder"), ("", "is a folder"), ("legacy.db", "at once")]
)
def test_a_place_where_no_target_can_be(legacy: Path, tmp_path: Path, place: str, words: str) -> None:
    before = legacy.read_bytes()

    said = refused(Database(f"sqlite:///{tmp_path / place}"), legacy)

    assert words in said
    assert legacy.read_bytes() == before
    assert list(tmp_path.iterdir()) == [legacy]


@pytest.mark.either_database
def test_a_report_that_can_not_be_written_is_said_before_anything_is_done(legacy: Path, target: Database) -> None:
    said = refused(target, legacy, "--report", str(legacy.parent / "nowhere" / "report.json"))

    assert "No report can be written" in said
    assert not target.rows(Transfer).exists()
