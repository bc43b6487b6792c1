"""Summarising: who may, what is written, and what is offered to channels."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from articles.models import Article, DeadLetter, Source, Summary
from articles.summarise import MOST_ATTEMPTS, summarise_article
from tests.articles.summaries import TEXT, waiting
from tests.factories import SourceFactory
from usage import llm
from usage.models import ApiUsageEvent

pytestmark = pytest.mark.django_db


def queueing_source(**fields: Any) -> Source:
    source: Source = SourceFactory.create(auto_queue=True, **fields)
    return source


def test_a_waiting_article_gets_its_summary() -> None:
    article = waiting(attempts=2, last_error="no luck")

    assert summarise_article(article.pk)

    article.refresh_from_db()
    assert article.summary_text == TEXT
    assert (article.status, article.next_step_at) == (Article.Status.SUMMARISED, None)
    assert (article.attempts, article.last_error) == (0, "")


def test_the_version_is_kept_with_its_call() -> None:
    article = waiting()

    summarise_article(article.pk)

    summary = article.summaries.get()
    assert (summary.version, summary.text, summary.provider) == (1, TEXT, "extractive")
    assert summary.usage_event is not None
    assert summary.usage_event.subject == f"article:{article.pk}"


def test_a_lead_is_summarised_where_there_is_no_text() -> None:
    article = waiting(content="", lead="Порт вырос на 12%.")

    summarise_article(article.pk)

    article.refresh_from_db()
    assert article.summary_text == "Порт вырос на 12%."


@pytest.mark.parametrize(("text", "language"), [(TEXT, "ru"), ("The port grew by 12%.", "en")])
def test_an_unknown_language_is_told_from_the_text(text: str, language: str) -> None:
    article = waiting(content=text, language="")

    summarise_article(article.pk)

    article.refresh_from_db()
    assert article.language == language


@pytest.mark.parametrize(
    "fields",
    [
        {"next_step_at": None},
        {"next_step_at": timezone.now() + timedelta(days=1)},
        {"status": Article.Status.NEW},
        {"status": Article.Status.STORED},
        {"status": Article.Status.FAILED},
    ],
    ids=["nothing to do", "leased or later", "new", "stored", "failed"],
)
def test_what_is_not_due_is_left_alone(fields: dict[str, Any]) -> None:
    article = waiting(**fields)

    assert not summarise_article(article.pk)

    assert not ApiUsageEvent.objects.exists()
    assert Article.objects.filter(pk=article.pk, **fields).exists()


def test_a_missing_article_is_no_error() -> None:
    assert not summarise_article(404)


@pytest.mark.parametrize(
    "change",
    [{"next_step_at": timezone.now() + timedelta(days=1)}, {"status": Article.Status.NEW}, {"next_step_at": None}],
    ids=["taken over", "text changed", "stopped"],
)
def test_who_has_lost_the_lease_writes_nothing(change: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    article = waiting()
    complete = llm.complete

    def lose_the_lease(*args: Any, **options: Any) -> llm.Completion:
        Article.objects.filter(pk=article.pk).update(**change)
        return complete(*args, **options)

    monkeypatch.setattr(llm, "complete", lose_the_lease)

    assert not summarise_article(article.pk)

    assert not Summary.objects.exists()
    assert Article.objects.filter(pk=article.pk, summary_text="", **change).exists()


def test_who_has_lost_the_lease_records_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    article = waiting(attempts=MOST_ATTEMPTS - 1)

    def fail_late(*_args: Any, **_options: Any) -> llm.Completion:
        Article.objects.update(next_step_at=None)
        raise llm.ProviderFailed("no luck")

    monkeypatch.setattr(llm, "complete", fail_late)

    summarise_article(article.pk)

    assert not DeadLetter.objects.exists()
    assert Article.objects.get().status == Article.Status.READY


def test_the_second_of_two_finds_it_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    article = waiting()
    complete, second = llm.complete, []

    def call_again(*args: Any, **options: Any) -> llm.Completion:
        second.append(summarise_article(article.pk))
        return complete(*args, **options)

    monkeypatch.setattr(llm, "complete", call_again)

    assert summarise_article(article.pk)

    assert second == [False]
    assert Summary.objects.count() == 1


def test_who_is_overtaken_before_the_claim_leaves_the_article() -> None:
    article = waiting()
    other_lease = timezone.now() + timedelta(hours=1)
    overtaken: list[bool] = []

    def overtake(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith("UPDATE") and not overtaken:
            overtaken.append(True)
            Article.objects.update(next_step_at=other_lease)
        return execute(sql, *rest)

    with connection.execute_wrapper(overtake):
        assert not summarise_article(article.pk)

    assert Article.objects.filter(next_step_at=other_lease, attempts=0).exists()
    assert not ApiUsageEvent.objects.exists()


def test_a_second_call_finds_nothing_to_do() -> None:
    article = waiting()
    summarise_article(article.pk)

    assert not summarise_article(article.pk)

    assert ApiUsageEvent.objects.count() == 1


def test_force_makes_a_second_version() -> None:
    article = waiting()
    summarise_article(article.pk)

    assert summarise_article(article.pk, force=True)

    assert list(article.summaries.order_by("version").values_list("version", flat=True)) == [1, 2]


@pytest.mark.parametrize("status", [Article.Status.STORED, Article.Status.FAILED])
def test_force_takes_up_what_was_left(status: Article.Status) -> None:
    article = waiting(status=status, next_step_at=None)

    assert summarise_article(article.pk, force=True)


def test_force_does_not_summarise_what_has_no_text_yet() -> None:
    article = waiting(status=Article.Status.NEW)

    assert not summarise_article(article.pk, force=True)


def test_an_unchanged_text_is_not_summarised_twice() -> None:
    article = waiting()
    summarise_article(article.pk)
    Article.objects.update(status=Article.Status.READY, next_step_at=timezone.now(), title="Новый заголовок")

    assert summarise_article(article.pk)

    assert ApiUsageEvent.objects.count() == 1
    assert Article.objects.get().status == Article.Status.SUMMARISED


def test_a_changed_text_is_summarised_anew() -> None:
    article = waiting()
    summarise_article(article.pk)
    Article.objects.update(
        status=Article.Status.READY, next_step_at=timezone.now(), content="Порт сгорел.", content_hash="b" * 64
    )

    assert summarise_article(article.pk)

    assert Article.objects.get().summary_text == "Порт сгорел."
    assert Summary.objects.count() == 2


def test_a_young_article_is_offered_to_its_channels() -> None:
    article = waiting(source=queueing_source())

    summarise_article(article.pk)

    assert list(Article.objects.ready_to_publish()) == [article]


@pytest.mark.parametrize(
    ("age", "precision", "is_offered"),
    [
        (timedelta(hours=47), Article.Precision.MINUTE, True),
        (timedelta(hours=49), Article.Precision.MINUTE, False),
        (timedelta(hours=71), Article.Precision.DAY, True),
        (timedelta(hours=73), Article.Precision.DAY, False),
        (timedelta(hours=49), Article.Precision.SEEN, False),
        (timedelta(hours=-1), Article.Precision.MINUTE, True),
    ],
)
def test_only_young_articles_are_offered(age: timedelta, precision: Article.Precision, is_offered: bool) -> None:
    source = queueing_source(queue_max_age_hours=48)
    article = waiting(source=source, published_at=timezone.now() - age, published_precision=precision)

    summarise_article(article.pk)

    assert Article.objects.ready_to_publish().exists() == is_offered


def test_an_article_of_a_source_that_does_not_queue_is_not_offered() -> None:
    article = waiting(source=SourceFactory.create(auto_queue=False))

    summarise_article(article.pk)

    assert not Article.objects.ready_to_publish().exists()


def test_a_chosen_provider_is_asked_and_forgotten_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: list[str] = []

    def answer(_prompt: llm.Prompt, *, provider: str, **_options: Any) -> llm.Completion:
        wanted.append(provider)
        return llm.Completion("Порт вырос на 12%.", "mistral", "small", ApiUsageEvent.objects.create().pk, 0, 0)

    monkeypatch.setattr(llm, "complete", answer)
    article = waiting()

    summarise_article(article.pk, force=True, provider="mistral")

    assert wanted == ["mistral"]
    assert Article.objects.get().wanted_provider == ""
