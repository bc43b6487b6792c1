from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from articles import asking, prompts, tasks, trials
from articles.models import Article, Prompt, Summary
from articles.summarise import summarise_article
from tests.articles.summaries import TEXT, waiting
from usage import llm
from usage.models import ApiUsageEvent

pytestmark = pytest.mark.django_db


def requested(article: Article, provider: str = "") -> Summary:
    (number,) = trials.request([article], prompts.current(Prompt.Kind.SUMMARY), provider=provider)
    return Summary.objects.get(pk=number)


def test_a_trial_is_written_beside_what_readers_get() -> None:
    article = waiting(summary_text="Как было.", status=Article.Status.SUMMARISED, next_step_at=None)
    trial = requested(article)

    assert trials.write_trial(trial.pk)

    trial.refresh_from_db()
    article.refresh_from_db()
    assert (trial.text, trial.provider, trial.next_step_at, trial.error) == (TEXT, "extractive", None, "")
    assert (article.summary_text, article.status) == ("Как было.", Article.Status.SUMMARISED)
    assert ApiUsageEvent.objects.get().purpose == "trial"


def test_a_trial_is_written_once() -> None:
    trial = requested(waiting())
    trials.write_trial(trial.pk)

    assert not trials.write_trial(trial.pk)

    assert ApiUsageEvent.objects.count() == 1


def test_a_trial_by_a_provider_that_is_off_says_so_and_ends() -> None:
    trial = requested(waiting(), provider="nobody")

    assert not trials.write_trial(trial.pk)

    trial.refresh_from_db()
    assert "nobody" in trial.error
    assert trial.next_step_at is None


def test_a_trial_whose_writer_was_killed_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = requested(waiting())

    def die(*_args: Any, **_options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(asking, "ask", die)
    with pytest.raises(KeyboardInterrupt):
        trials.write_trial(trial.pk)
    Summary.objects.update(next_step_at=timezone.now())

    assert not trials.write_trial(trial.pk)

    trial.refresh_from_db()
    assert (trial.next_step_at, trial.text) == (None, "")
    assert trial.error


def test_a_trial_is_no_version_for_readers() -> None:
    article = waiting()
    trials.write_trial(requested(article).pk)

    summarise_article(article.pk)

    assert list(article.summaries.order_by("version").values_list("version", "is_trial")) == [(1, True), (2, False)]
    assert not Article.objects.get().needs_editor


def test_what_is_due_is_rung_for(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[int] = []
    monkeypatch.setattr(tasks.write_trial, "delay", rung.append)
    monkeypatch.setattr(tasks, "_rung", {})
    trial, later = requested(waiting(next_step_at=None)), requested(waiting(next_step_at=None))
    Summary.objects.filter(pk=later.pk).update(next_step_at=timezone.now() + timedelta(minutes=5))

    tasks.ring_due()

    assert rung == [trial.pk]


def test_an_unusable_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    excuse = llm.Completion("I'm sorry, I cannot help.", "gemini", "flash", 1, 0, 0)
    monkeypatch.setattr(llm, "complete", lambda *_args, **_options: excuse)
    trial = requested(waiting())

    trials.write_trial(trial.pk)

    trial.refresh_from_db()
    assert "I'm sorry" in trial.error
