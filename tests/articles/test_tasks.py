"""tasks: what is due is rung for, a bounded number of times."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from articles import completion, tasks
from articles.models import Article
from tests.factories import ArticleFactory, SourceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, list[int]]]:
    """The ids each doorbell was rung with."""
    heard: dict[str, list[int]] = {"fetch_source": [], "complete_article": [], "summarise_article": []}
    for name, ids in heard.items():
        monkeypatch.setattr(getattr(tasks, name), "delay", ids.append)
    for name in ("follow_texts", "compare_article"):
        monkeypatch.setattr(getattr(tasks, name), "delay", Mock())
    tasks._rung.clear()
    yield heard
    tasks._rung.clear()


def due_article(**fields: object) -> Article:
    source = SourceFactory(is_active=False)
    return ArticleFactory(**{"source": source, "next_step_at": timezone.now() - timedelta(seconds=1), **fields})


def test_each_due_row_is_rung_for_by_its_step(rung: dict[str, list[int]]) -> None:
    source, new, ready = SourceFactory(), due_article(status="new"), due_article(status="ready")

    tasks.ring_due()

    assert rung == {"fetch_source": [source.pk], "complete_article": [new.pk], "summarise_article": [ready.pk]}


def test_what_is_not_due_is_left_alone(rung: dict[str, list[int]]) -> None:
    later = timezone.now() + timedelta(minutes=5)
    SourceFactory(next_fetch_at=later)
    SourceFactory(is_active=False)
    due_article(status="new", next_step_at=later)
    due_article(status="stored", next_step_at=None)

    tasks.ring_due()

    assert not any(rung.values())


def test_a_row_that_waits_is_not_rung_for_again_at_once(rung: dict[str, list[int]]) -> None:
    SourceFactory()
    due_article(status="ready")

    for _sweep in range(3):
        tasks.ring_due()

    assert [len(ids) for ids in rung.values()] == [1, 0, 1]


def test_a_doorbell_that_nobody_heard_is_rung_again(
    rung: dict[str, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    due_article(status="ready")
    tasks.ring_due()
    monkeypatch.setattr(tasks, "PATIENCE", -1.0)

    tasks.ring_due()

    assert len(rung["summarise_article"]) == 2


def test_the_next_step_of_the_same_row_is_rung_for_at_once(rung: dict[str, list[int]]) -> None:
    article = due_article(status="new")
    tasks.ring_due()
    Article.objects.update(status="ready", next_step_at=timezone.now())

    tasks.ring_due()

    assert rung["summarise_article"] == [article.pk]


def test_a_sweep_rings_for_a_bounded_number_the_longest_waiting_first(
    rung: dict[str, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "SOURCES_AT_ONCE", 2)
    waiting = [SourceFactory(next_fetch_at=timezone.now() - timedelta(hours=hours)) for hours in (1, 3, 2)]

    tasks.ring_due()

    assert rung["fetch_source"] == [waiting[1].pk, waiting[2].pk]


def test_a_sweep_costs_the_same_whatever_waits(
    rung: dict[str, list[int]], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    SourceFactory()
    due_article(status="ready")
    with django_assert_max_num_queries(15) as few:
        tasks.ring_due()
    for _row in range(5):
        SourceFactory()
        due_article(status="ready")

    with django_assert_max_num_queries(len(few)):
        tasks.ring_due()


@pytest.mark.parametrize("is_settled", [True, False])
def test_a_completed_article_is_rung_for_its_summary(
    rung: dict[str, list[int]], monkeypatch: pytest.MonkeyPatch, is_settled: bool
) -> None:
    monkeypatch.setattr(completion, "complete_article", Mock(return_value=is_settled))

    tasks.complete_article(7)

    assert rung["summarise_article"] == ([7] if is_settled else [])
