from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from articles import prompts, tasks
from articles.forecasts import planning, writing
from articles.models import Article, DeadLetter, ForecastNote, Prompt, Source
from tests.articles.notes import Model, note, outcomes
from tests.factories import ArticleFactory, SourceFactory
from usage import llm
from usage.models import ApiUsageEvent
from usage.prompts import BudgetSpent, Resting

Status = ForecastNote.Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    """The model that is asked; it writes a faithful note unless told otherwise."""
    asked = Model(note())
    monkeypatch.setattr(llm, "complete", asked)
    return asked


def watching_source(**fields: Any) -> Source:
    source: Source = SourceFactory.create(auto_forecast=True, **fields)
    return source


def planned(article: Article | None = None, **fields: Any) -> ForecastNote:
    """A note that is due."""
    values = {"version": 1, "next_step_at": timezone.now()} | fields
    return ForecastNote.objects.create(article=article or ArticleFactory.create(content_hash="a" * 64), **values)


def test_a_new_article_of_a_source_that_wants_notes_gets_one() -> None:
    article = ArticleFactory.create(source=watching_source())
    ArticleFactory.create()

    planning.plan_due()
    planning.plan_due()

    waiting = ForecastNote.objects.get()
    assert (waiting.article, waiting.version, waiting.status) == (article, 1, Status.WAITING)
    assert waiting in ForecastNote.objects.due()


@pytest.mark.parametrize(
    "fields",
    [
        {"published_at": timezone.now() - timedelta(hours=49)},
        {"status": Article.Status.NEW},
        {"content": "", "lead": ""},
        {"source__is_active": False},
    ],
    ids=["old", "not complete", "without a text", "switched off"],
)
def test_what_is_no_news_or_has_no_text_gets_none(fields: dict[str, Any]) -> None:
    ArticleFactory.create(**{"source__auto_forecast": True, "source__queue_max_age_hours": 48} | fields)

    planning.plan_due()

    assert not ForecastNote.objects.exists()


@pytest.mark.parametrize("status", [Status.WRITTEN, Status.SKIPPED, Status.FAILED])
def test_what_was_dealt_with_is_not_asked_for_again(status: str) -> None:
    planned(ArticleFactory.create(source=watching_source()), status=status, next_step_at=None)

    planning.plan_due()

    assert ForecastNote.objects.count() == 1


def test_a_person_may_ask_for_any_article_with_a_text() -> None:
    old = ArticleFactory.create(published_at=timezone.now() - timedelta(days=900))
    empty = ArticleFactory.create(content="", lead="")

    numbers = planning.request([old.pk, empty.pk, 404], provider="gemini")

    assert numbers == [old.forecast_notes.get(wanted_provider="gemini").pk]


def test_asking_twice_is_one_note() -> None:
    article = ArticleFactory.create()

    first, second = planning.request([article.pk]), planning.request([article.pk])

    assert first == second
    with pytest.raises(IntegrityError), transaction.atomic():
        planned(article, version=2)


def test_asking_again_makes_another_version() -> None:
    article = ArticleFactory.create()
    planned(article, status=Status.WRITTEN, next_step_at=None)

    planning.request([article.pk])

    assert sorted(article.forecast_notes.values_list("version", "status")) == [(1, "written"), (2, "waiting")]


def test_a_due_note_is_written_with_its_call(model: Model) -> None:
    waiting = planned()

    assert writing.write_note(waiting.pk)

    waiting.refresh_from_db()
    assert (waiting.status, waiting.next_step_at, waiting.data) == (Status.WRITTEN, None, note())
    assert (waiting.provider, waiting.model, waiting.prompt_version) == ("gemini", "flash", "forecast-1")
    assert waiting.usage_event == ApiUsageEvent.objects.get(subject=f"article:{waiting.article_id}")
    assert (waiting.findings, waiting.content_hash, waiting.is_outdated) == ([], "a" * 64, False)


def test_the_model_is_asked_in_the_form_for_its_own_purpose(model: Model) -> None:
    waiting = planned(wanted_provider="gemini")

    writing.write_note(waiting.pk)

    (prompt, options) = model.asked[0]
    assert (prompt.form, prompt.version, prompt.text) == (writing.FORM, "forecast-1", waiting.article.content)
    assert (options["purpose"], options["provider"]) == ("forecast", "gemini")


def test_the_prompt_in_use_is_asked(model: Model) -> None:
    prompts.save_version(Prompt.Kind.FORECAST, "Будь осторожен.", author_id=None).make_current()

    writing.write_note(planned().pk)

    assert model.asked[0][0].instructions == "Будь осторожен."
    assert ForecastNote.objects.get().prompt_version == "forecast-2"


def test_what_the_article_does_not_say_bars_approval(model: Model) -> None:
    model.answers = [note(key_facts=["Порт увеличил перевалку угля на 21%."])]

    writing.write_note(planned().pk)

    written = ForecastNote.objects.get()
    assert [(one["place"], one["text"]) for one in written.findings] == [("key_facts.0", "21%")]
    assert written.bars_approval


@pytest.mark.parametrize(("age", "is_offered"), [(timedelta(hours=1), True), (timedelta(hours=49), False)])
def test_only_notes_of_news_are_offered(age: timedelta, is_offered: bool, model: Model) -> None:
    article = ArticleFactory.create(published_at=timezone.now() - age, source__queue_max_age_hours=48)

    writing.write_note(planned(article).pk)

    assert ForecastNote.objects.ready_to_publish().exists() == is_offered


@pytest.mark.parametrize(
    "fields",
    [
        {"next_step_at": None},
        {"next_step_at": timezone.now() + timedelta(days=1)},
        {"status": Status.WRITTEN},
        {"status": Status.FAILED},
    ],
    ids=["nothing to do", "leased or later", "written", "failed"],
)
def test_what_is_not_due_is_left_alone(fields: dict[str, Any], model: Model) -> None:
    waiting = planned(**fields)

    assert not writing.write_note(waiting.pk)

    assert not model.asked


def test_the_second_of_two_finds_it_taken(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, second = planned(), []

    def call_again(*args: Any, **options: Any) -> llm.Completion:
        second.append(writing.write_note(waiting.pk))
        return model(*args, **options)

    monkeypatch.setattr(llm, "complete", call_again)

    assert writing.write_note(waiting.pk)
    assert (second, len(model.asked)) == ([False], 1)


def test_who_has_lost_the_lease_writes_nothing(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, later = planned(), timezone.now() + timedelta(hours=1)

    def lose_the_lease(*args: Any, **options: Any) -> llm.Completion:
        ForecastNote.objects.update(next_step_at=later)
        return model(*args, **options)

    monkeypatch.setattr(llm, "complete", lose_the_lease)

    assert not writing.write_note(waiting.pk)
    assert ForecastNote.objects.filter(next_step_at=later, data={}, status=Status.WAITING).exists()


@pytest.mark.parametrize("answer", ["Порт вырос.", outcomes(0.9, 0.9), note(key_facts=["Подробнее на t.me/evil тут"])])
def test_an_unusable_answer_is_tried_again(answer: dict[str, Any] | str, model: Model) -> None:
    model.answers = [answer, note()]
    waiting = planned()

    assert not writing.write_note(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.data) == (Status.WAITING, {})
    assert waiting.last_error
    ForecastNote.objects.update(next_step_at=timezone.now())
    assert writing.write_note(waiting.pk)
    assert ForecastNote.objects.get().last_error == ""


def test_pauses_double_and_end_in_a_dead_letter(model: Model) -> None:
    model.answers = [llm.ProviderFailed("no luck")]
    waiting, pauses = planned(), []
    for _ in range(writing.MOST_ATTEMPTS):
        before = timezone.now()
        assert not writing.write_note(waiting.pk)
        waiting.refresh_from_db()
        pauses.append(waiting.next_step_at and round((waiting.next_step_at - before) / timedelta(minutes=1)))
        ForecastNote.objects.waiting().update(next_step_at=timezone.now())

    assert (pauses, waiting.status) == ([1, 2, 4, None], Status.FAILED)
    letter = DeadLetter.objects.get()
    assert (letter.entity_type, letter.entity_ref) == ("forecast", str(waiting.article_id))
    assert (letter.error_code, letter.error_payload, letter.attempts) == ("provider_failed", "no luck", 4)


def test_a_note_that_kills_its_workers_is_given_up(model: Model) -> None:
    waiting = planned(attempts=writing.MOST_ATTEMPTS)

    assert not writing.write_note(waiting.pk)

    assert DeadLetter.objects.get().error_code == "cut_short"
    assert not model.asked


def test_a_success_ends_the_dead_letter(model: Model) -> None:
    waiting = planned()
    DeadLetter.record(DeadLetter.EntityType.FORECAST, str(waiting.article_id), "provider_failed", "no luck", 4)

    writing.write_note(waiting.pk)

    assert not DeadLetter.objects.exists()


def test_without_a_language_model_it_is_skipped_and_says_why() -> None:
    waiting = planned()

    assert not writing.write_note(waiting.pk)

    waiting.refresh_from_db()
    assert (waiting.status, waiting.data) == (Status.SKIPPED, {})
    assert "офлайновый пересказ" in waiting.last_error
    assert not DeadLetter.objects.exists()
    assert not ApiUsageEvent.objects.exists()


def test_without_a_budget_it_is_skipped_at_once(model: Model) -> None:
    model.answers = [BudgetSpent("The budget of the day is spent.")]

    writing.write_note(planned().pk)

    assert ForecastNote.objects.filter(status=Status.SKIPPED, next_step_at=None, last_error__contains="spent").exists()


def test_a_provider_that_rests_is_waited_for(model: Model) -> None:
    model.answers = [Resting("It rests."), note()]
    waiting = planned()

    assert not writing.write_note(waiting.pk)
    ForecastNote.objects.update(next_step_at=timezone.now())

    assert writing.write_note(waiting.pk)


def test_a_note_tells_when_its_article_has_changed(model: Model) -> None:
    writing.write_note(planned().pk)

    Article.objects.update(content_hash="b" * 64)

    assert ForecastNote.objects.select_related("article").get().is_outdated


def test_the_sweeper_plans_and_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[int] = []
    monkeypatch.setattr(tasks.write_note, "delay", rung.append)
    monkeypatch.setattr(tasks, "_rung", {})
    ArticleFactory.create(source=watching_source(next_fetch_at=timezone.now() + timedelta(hours=1)))

    tasks.ring_due()
    tasks.ring_due()

    assert rung == [ForecastNote.objects.get().pk]
