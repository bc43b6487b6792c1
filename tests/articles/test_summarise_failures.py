"""What becomes of an article whose summary fails."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from prometheus_client import REGISTRY

from articles.models import Article, DeadLetter
from articles.summarise import MOST_ATTEMPTS, summarise_article
from tests.articles.summaries import waiting
from usage import llm
from usage.models import ApiUsageEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def failing_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_options: Any) -> llm.Completion:
        raise llm.ProviderFailed("no luck")

    monkeypatch.setattr(llm, "complete", fail)


@pytest.mark.usefixtures("failing_model")
def test_pauses_double_after_each_failure() -> None:
    article = waiting()
    pauses = []
    for _ in range(MOST_ATTEMPTS - 1):
        before = timezone.now()
        assert not summarise_article(article.pk)
        due_at = Article.objects.get().next_step_at
        assert due_at is not None
        pauses.append(round((due_at - before) / timedelta(minutes=1)))
        Article.objects.update(next_step_at=timezone.now())

    assert pauses == [1, 2, 4]
    assert Article.objects.get().last_error == "no luck"


@pytest.mark.usefixtures("failing_model")
def test_after_the_last_attempt_there_is_a_dead_letter() -> None:
    article = waiting(attempts=MOST_ATTEMPTS - 1)

    assert not summarise_article(article.pk)

    article.refresh_from_db()
    assert (article.status, article.next_step_at) == (Article.Status.FAILED, None)
    letter = DeadLetter.objects.get()
    assert (letter.entity_type, letter.entity_ref) == (DeadLetter.EntityType.SUMMARY, str(article.pk))
    assert (letter.error_code, letter.error_payload, letter.attempts) == ("provider_failed", "no luck", MOST_ATTEMPTS)


@pytest.mark.usefixtures("failing_model")
def test_failures_are_counted_for_prometheus() -> None:
    article = waiting()
    before = REGISTRY.get_sample_value("errors_total", {"type": "ProviderFailed"}) or 0

    summarise_article(article.pk)

    assert REGISTRY.get_sample_value("errors_total", {"type": "ProviderFailed"}) == before + 1


def test_a_text_without_words_is_given_up_at_once() -> None:
    article = waiting(content="!!!")

    assert not summarise_article(article.pk)

    assert DeadLetter.objects.get().error_code == "nothing_to_complete"
    assert Article.objects.get().status == Article.Status.FAILED


def test_an_article_that_kills_its_workers_is_given_up() -> None:
    article = waiting(attempts=MOST_ATTEMPTS)

    assert not summarise_article(article.pk)

    assert DeadLetter.objects.get().error_code == "cut_short"
    assert not ApiUsageEvent.objects.exists()


def test_a_success_ends_the_dead_letter() -> None:
    article = waiting(status=Article.Status.FAILED, next_step_at=None)
    DeadLetter.record(DeadLetter.EntityType.SUMMARY, str(article.pk), "provider_failed", "no luck", MOST_ATTEMPTS)

    summarise_article(article.pk, force=True)

    assert not DeadLetter.objects.exists()


def test_a_provider_that_does_not_exist_is_not_tried_again() -> None:
    article = waiting(wanted_provider="nobody")

    assert not summarise_article(article.pk)

    assert DeadLetter.objects.get().error_code == "no_such_provider"


def test_what_was_given_up_is_paid_for_only_when_somebody_asks(failing_model: None) -> None:
    article = waiting(attempts=MOST_ATTEMPTS - 1)
    summarise_article(article.pk)

    assert not summarise_article(article.pk)

    assert Article.objects.get().attempts == MOST_ATTEMPTS
