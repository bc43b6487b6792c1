"""Prompts, trials, checks and the choice of a provider in the admin."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from articles import prompts, tasks
from articles.models import Article, Prompt, Summary
from tests.articles.summaries import TEXT, waiting
from tests.people import signed_in
from usage.models import ApiUsageEvent, Provider

DETAILS = "admin:articles_summary_change"

pytestmark = pytest.mark.django_db


def version(article: Article, text: str, number: int = 1) -> Summary:
    return Summary.objects.create(article=article, version=number, text=text, provider="gemini")


def page_of(summary: Summary, query: str = "", role: str = "editor") -> str:
    response = signed_in(role).get(reverse(DETAILS, args=[summary.pk]) + query)
    assert response.status_code == 200
    return response.content.decode()


def test_what_has_no_support_is_marked_beside_the_source() -> None:
    page = page_of(version(waiting(), "Порт увеличил перевалку угля на 21%."))

    assert '<mark class="wp-mark wp-mark-bad"' in page
    assert ">21%</mark>" in page
    assert "Рост обеспечил новый терминал" in page


def test_a_sentence_leads_to_the_one_it_leans_on() -> None:
    page = page_of(version(waiting(), "Рост обеспечил терминал за 14,3 млрд руб."))

    assert '<a class="wp-leans" href="#s2">' in page
    assert '<p id="s2" class="wp-leaned-on">' in page


def test_texts_from_outside_are_escaped() -> None:
    article = waiting(content=f"<script>alert(1)</script> {TEXT}")

    page = page_of(version(article, "<img src=x onerror=alert(2)> Порт."))

    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page


def test_two_versions_stand_side_by_side() -> None:
    article = waiting()
    first, second = version(article, "Порт вырос."), version(article, "Перевалка угля выросла.", 2)
    foreign = version(waiting(), "Чужое.", 1)

    assert "Перевалка угля выросла." in page_of(first, f"?with={second.pk}")
    assert (
        "Чужое."
        not in signed_in("publisher").get(reverse(DETAILS, args=[first.pk]) + f"?with={foreign.pk}").content.decode()
    )


def test_a_strangers_eyes_are_kept_out() -> None:
    summary = version(waiting(), "Порт вырос.")

    assert signed_in("").get(reverse(DETAILS, args=[summary.pk])).status_code == 403


def test_summaries_are_listed() -> None:
    version(waiting(), "Порт вырос.")

    assert signed_in("editor").get("/admin/articles/summary/").status_code == 200


def test_a_changed_prompt_is_the_next_version() -> None:
    editor = signed_in("editor")

    form = editor.get("/admin/articles/prompt/add/?kind=daily").content.decode()
    saved = editor.post("/admin/articles/prompt/add/", {"kind": "daily", "text": "Пиши до $max_chars."})

    assert "обзора дня" in form
    assert saved.status_code == 302
    newest = Prompt.objects.filter(kind="daily").first()
    assert newest is not None
    assert (newest.version, newest.is_current, newest.is_own, str(newest.author)) == (2, False, True, "editor")


def test_a_prompt_with_an_unknown_placeholder_is_not_saved() -> None:
    answer = signed_in("editor").post("/admin/articles/prompt/add/", {"kind": "daily", "text": "$secret"})

    assert answer.status_code == 200
    assert Prompt.objects.filter(kind="daily").count() == 1


def test_a_version_never_changes() -> None:
    prompt = prompts.current(Prompt.Kind.SUMMARY)
    editor, address = signed_in("editor"), reverse("admin:articles_prompt_change", args=[prompt.pk])

    assert editor.get(address).status_code == 200
    assert editor.post(address, {"kind": "summary", "text": "Иначе."}).status_code == 403


def test_a_version_is_put_to_use() -> None:
    other = prompts.save_version(Prompt.Kind.SUMMARY, "Пиши весело.", author_id=None)

    editor, address = signed_in("editor"), reverse("admin:articles_prompt_preview", args=[other.pk])
    editor.get(address)
    assert prompts.current(Prompt.Kind.SUMMARY) != other
    editor.post(address, {"_use": ""})

    assert prompts.current(Prompt.Kind.SUMMARY) == other


def test_operators_do_not_put_prompts_to_use() -> None:
    other = prompts.save_version(Prompt.Kind.SUMMARY, "Пиши весело.", author_id=None)

    answer = signed_in("operator").post(reverse("admin:articles_prompt_preview", args=[other.pk]), {"_use": ""})

    assert answer.status_code == 403
    assert prompts.current(Prompt.Kind.SUMMARY) != other


def test_the_preview_shows_what_would_be_sent_and_sends_nothing() -> None:
    article, prompt = waiting(), prompts.current(Prompt.Kind.SUMMARY)

    page = signed_in("editor").get(
        reverse("admin:articles_prompt_preview", args=[prompt.pk]) + f"?article={article.pk}"
    )

    text = page.content.decode()
    assert "от 400 до 900 знаков" in text
    assert "Рост обеспечил новый терминал" in text
    assert not ApiUsageEvent.objects.exists()


def test_a_trial_is_planned_and_left_to_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[int] = []
    monkeypatch.setattr(tasks.write_trial, "delay", rung.append)
    article, prompt = waiting(), prompts.current(Prompt.Kind.SUMMARY)
    address = reverse("admin:articles_prompt_preview", args=[prompt.pk])

    answer = signed_in("editor").post(address, {"article": article.pk, "provider": "extractive"})

    trial = Summary.objects.get()
    assert answer["Location"] == reverse(DETAILS, args=[trial.pk])
    assert (trial.is_trial, trial.provider, trial.text) == (True, "extractive", "")
    assert not ApiUsageEvent.objects.exists()


def test_operators_may_not_spend_on_trials() -> None:
    address = reverse("admin:articles_prompt_preview", args=[prompts.current(Prompt.Kind.SUMMARY).pk])

    answer = signed_in("operator").post(address, {"article": waiting().pk})

    assert answer.status_code == 403
    assert not Summary.objects.exists()


def test_chosen_articles_are_summarised_by_a_chosen_provider() -> None:
    Provider.objects.create(name="paid", kind=Provider.Kind.OPENAI, priority=1, price_in=Decimal(500))
    chosen = [waiting(status=Article.Status.SUMMARISED, next_step_at=None).pk for _ in range(2)]
    editor, form = signed_in("editor"), {"action": "summarise_with", "_selected_action": chosen}

    page = editor.post("/admin/articles/article/", form)
    done = editor.post("/admin/articles/article/", form | {"_go": "1", "provider": "paid"})

    text = page.content.decode()
    assert "paid ≈ $" in text
    assert "extractive ≈ $0,00" in text
    assert done.status_code == 302
    assert set(Article.objects.values_list("wanted_provider", "status")) == {("paid", "ready")}


def test_no_provider_chosen_changes_nothing() -> None:
    article = waiting(status=Article.Status.SUMMARISED, next_step_at=None)
    form = {"action": "summarise_with", "_selected_action": [article.pk], "_go": "1", "provider": "nobody"}

    signed_in("editor").post("/admin/articles/article/", form)

    assert Article.objects.get().status == Article.Status.SUMMARISED
