"""A second run changes what has changed in the source, and nothing that somebody has changed here since."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from articles.models import Article, Summary
from publishing.models import Publication
from tests.legacy_files import change
from tests.transfer.conftest import Database
from warandpeace.transfer.models import Transfer, TransferBlock
from warandpeace.transfer.own import own_tables

LATER = datetime(2030, 1, 1, tzinfo=UTC)


def contents(database: Database) -> dict[str, list[dict[str, Any]]]:
    return {table.name: database.values(table.model) for table in own_tables()}


@pytest.fixture
def taken(legacy: Path, target: Database) -> Database:
    """The file has been transferred."""
    target.take(legacy)
    return target


def edit(database: Database, pk: int, title: str) -> None:
    """What the admin does when an editor saves an article."""
    database.rows(Article).filter(pk=pk).update(title=title, edited_at=LATER, updated_at=LATER)


def test_nothing_changes_when_nothing_has_changed(legacy: Path, taken: Database) -> None:
    before, blocks = contents(taken), taken.values(TransferBlock)

    said = taken.take(legacy)

    assert "Proved" in said
    assert contents(taken) == before
    assert taken.values(TransferBlock) == blocks


def test_what_has_changed_in_the_source_comes_over(legacy: Path, taken: Database) -> None:
    change(legacy, "UPDATE articles SET title = 'Исправлено' WHERE id = 5")

    taken.take(legacy)

    assert taken.rows(Article).get(pk=5).title == "Исправлено"


def test_new_rows_of_the_source_come_over(legacy: Path, taken: Database) -> None:
    row = "(777, 'https://news.example/new', 'Новое', '2025-10-07T10:00:00+00:00', '2025-10-07 10:00:00')"
    change(legacy, f"INSERT INTO articles (id, url, title, published_at, created_at) VALUES {row}")

    taken.take(legacy)

    assert taken.rows(Article).get(pk=777).title == "Новое"


def test_an_editors_later_change_stays(legacy: Path, taken: Database) -> None:
    edit(taken, 5, "Редактор решил иначе")
    change(legacy, "UPDATE articles SET title = 'Исправлено' WHERE id IN (5, 6)")

    said = taken.take(legacy)

    assert taken.rows(Article).get(pk=5).title == "Редактор решил иначе"
    assert taken.rows(Article).get(pk=6).title == "Исправлено"
    assert "1 changed here since" in said
    assert "Proved" in said


def test_an_editors_change_stays_however_often_it_is_run(legacy: Path, taken: Database) -> None:
    edit(taken, 5, "Редактор решил иначе")
    change(legacy, "UPDATE articles SET title = 'Исправлено' WHERE id = 5")

    for _ in range(3):
        taken.take(legacy)

    assert taken.rows(Article).get(pk=5).title == "Редактор решил иначе"


def test_what_was_deleted_here_does_not_come_back(legacy: Path, taken: Database) -> None:
    deleted = taken.rows(Summary).earliest("pk")
    taken.rows(Summary).filter(pk=deleted.pk).delete()
    change(legacy, f"UPDATE articles SET summary_text = 'Другой итог' WHERE id = {deleted.article_id}")

    said = taken.take(legacy)

    assert not taken.rows(Summary).filter(pk=deleted.pk).exists()
    assert "1 deleted here since" in said


def test_an_article_that_is_no_longer_posted_in_the_source_stays_posted(legacy: Path, taken: Database) -> None:
    posted = taken.rows(Publication).filter(state="published").earliest("pk")
    change(legacy, f"UPDATE articles SET content = 'Появился текст' WHERE id = {posted.article_id}")

    taken.take(legacy)

    assert taken.rows(Publication).get(pk=posted.pk).state == "published"


def test_a_number_that_is_taken_here_is_not_taken_away(legacy: Path, taken: Database) -> None:
    own = taken.rows(Article).get(pk=5)
    own.pk, own.canonical_link, own.title = 777, "https://other.example/", "Наша"
    taken.rows(Article).bulk_create([own])
    row = "(777, 'https://news.example/new', 'Новое', '2025-10-07T10:00:00+00:00', '2025-10-07 10:00:00')"
    change(legacy, f"INSERT INTO articles (id, url, title, published_at, created_at) VALUES {row}")

    said = taken.take(legacy)

    assert taken.rows(Article).get(pk=777).title == "Наша"
    assert "1 here before the transfer" in said


def test_an_address_that_is_taken_here_goes_to_quarantine(legacy: Path, taken: Database) -> None:
    own = taken.rows(Article).get(pk=5)
    own.pk, own.canonical_link = 900, "https://news.example/new"
    taken.rows(Article).bulk_create([own])
    row = "(777, 'https://news.example/new', 'Новое', '2025-10-07T10:00:00+00:00', '2025-10-07 10:00:00')"
    change(legacy, f"INSERT INTO articles (id, url, title, published_at, created_at) VALUES {row}")

    said = taken.take(legacy)

    assert "quarantine: articles 777: the database refuses it" in said
    assert "Proved" in said


def test_verifying_finds_what_was_changed_without_a_trace(legacy: Path, taken: Database) -> None:
    taken.rows(Article).filter(pk=5).update(content="Подмена")

    with pytest.raises(CommandError, match="NOT PROVED: 1 rows differ"):
        taken.take(legacy, "--verify-only")


def test_verifying_lets_an_editors_change_pass_and_counts_it(legacy: Path, taken: Database) -> None:
    edit(taken, 5, "Редактор решил иначе")

    said = taken.take(legacy, "--verify-only")

    assert "1 changed here since" in said
    assert "Proved" in said


def test_verifying_finds_what_is_missing(legacy: Path, taken: Database) -> None:
    taken.rows(Summary).filter(pk=taken.rows(Summary).earliest("pk").pk).delete()

    with pytest.raises(CommandError, match="NOT PROVED"):
        taken.take(legacy, "--verify-only")


def test_verifying_writes_nothing(legacy: Path, taken: Database) -> None:
    before = contents(taken), taken.values(Transfer), taken.values(TransferBlock)

    taken.take(legacy, "--verify-only")

    assert (contents(taken), taken.values(Transfer), taken.values(TransferBlock)) == before
