"""leases: what a dead worker has taken is due at once, and what a living one has is its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from articles import leases
from articles.leases import Note, Notebook
from articles.models import Article, BackfillRun, Source
from articles.models.source import FETCH_LEASE
from articles.models.steps import MOST_BEGUN
from tests.factories import ArticleFactory, SourceFactory

pytestmark = pytest.mark.django_db
LEASE = timedelta(minutes=5)


@pytest.fixture(autouse=True)
def worker(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    """The notes of a worker, who dies when they are closed."""
    settings.VAR_DIR = tmp_path
    notebook = Notebook()
    monkeypatch.setattr(leases, "mine", notebook)
    yield notebook
    notebook.close()


def taken(**fields: object) -> Article:
    """An article that the worker has claimed."""
    due = ArticleFactory(status="ready", next_step_at=timezone.now() - timedelta(seconds=1), **fields)
    article = Article.objects.all().claim(due.pk, LEASE)
    assert article is not None
    return article


def is_due(article: Article) -> bool:
    return Article.objects.due().filter(pk=article.pk).exists()


def test_what_a_dead_worker_has_taken_is_due(worker: Notebook, tmp_path: Path) -> None:
    article, other = taken(), taken()

    worker.close()

    assert (leases.release(), is_due(article), is_due(other)) == (2, True, True)
    assert list(Path(tmp_path, "leases").iterdir()) == []


def test_what_a_living_worker_has_taken_is_its_own() -> None:
    article = taken()

    assert (leases.release(), is_due(article)) == (0, False)


def test_what_has_gone_on_since_is_left_alone(worker: Notebook) -> None:
    article = taken()
    Article.objects.held(article).update(next_step_at=timezone.now() + timedelta(minutes=2))

    worker.close()

    assert (leases.release(), is_due(article)) == (0, False)


def test_a_source_that_a_dead_worker_was_reading_is_due(worker: Notebook) -> None:
    source = SourceFactory(next_fetch_at=timezone.now() - timedelta(seconds=1))
    assert Source.objects.claim([source], timezone.now() + FETCH_LEASE) == [source]
    assert (leases.release(), Source.objects.due().exists()) == (0, False)

    worker.close()

    assert (leases.release(), Source.objects.due().exists()) == (1, True)


def test_an_archive_that_a_dead_worker_was_reading_is_due(worker: Notebook) -> None:
    day = timezone.localdate()
    run = BackfillRun.objects.create(source=SourceFactory(), date_from=day, date_to=day, next_step_at=timezone.now())
    assert run.claim(LEASE)
    assert (leases.release(), BackfillRun.objects.due().exists()) == (0, False)

    worker.close()

    assert (leases.release(), BackfillRun.objects.due().exists()) == (1, True)


def test_what_workers_seem_to_die_of_waits_for_its_lease(worker: Notebook) -> None:
    article = taken(attempts=MOST_BEGUN)

    worker.close()

    assert (leases.release(), is_due(article)) == (0, False)


def test_what_the_database_broke_off_is_due_though_its_worker_lives(worker: Notebook) -> None:
    kept = taken()
    with pytest.raises(OperationalError), worker.given_back():
        broken = taken()
        raise OperationalError

    assert (leases.release(), is_due(broken), is_due(kept)) == (1, True, False)


def test_half_a_note_is_passed_over(worker: Notebook, tmp_path: Path) -> None:
    taken()
    with next(Path(tmp_path, "leases").iterdir()).open("ab") as file:
        file.write(f"artarticles.article 7 {timezone.now() + LEASE:%Y-%m-%dT%H:%M:%S%z} taken\n".encode())
        file.write(b"articles.article 7 2026-")

    worker.close()

    assert leases.release() == 1


def test_notes_don_t_grow_for_ever(worker: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LARGEST", 200)
    long_ago = timezone.now() - LEASE
    for pk in range(100):
        worker.take(Note("articles.article", pk, long_ago))
    article = taken()
    for _step in range(100):
        worker.take(Note("articles.backfillrun", 1, timezone.now() + LEASE))

    worker.close()

    assert next(Path(tmp_path, "leases").iterdir()).stat().st_size < 400
    assert (leases.release(), is_due(article)) == (1, True)


def test_notes_that_count_are_not_copied_again_and_again(worker: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    shortening = Mock(wraps=leases._shorten)
    monkeypatch.setattr(leases, "LARGEST", 200)
    monkeypatch.setattr(leases, "_shorten", shortening)

    for pk in range(1_000):
        worker.take(Note("articles.source", pk, timezone.now() + LEASE))

    assert shortening.call_count < 12


def test_where_nothing_can_be_noted_work_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Path(tmp_path, "leases").write_text("")

    taken()

    assert "can't be noted" in caplog.text
