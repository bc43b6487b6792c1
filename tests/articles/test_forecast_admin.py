"""Forecast notes in the admin: on their article, beside their source, in lists, and asked for."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from articles import prompts
from articles.models import Article, ForecastNote, Prompt
from tests.articles.notes import FACT, note
from tests.articles.test_forecast import planned
from tests.factories import ArticleFactory
from tests.people import signed_in
from usage.models import Provider

ARTICLES, NOTES = "/admin/articles/article/", "/admin/articles/forecastnote/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    bells: list[tuple[str, int]] = []
    for module in ("article", "choosing"):
        path = f"articles.admin.{module}.ring"
        monkeypatch.setattr(path, lambda task, pk: bells.append((task.name.rpartition(".")[2], pk)))
    return bells


def written(article: Article | None = None, **fields: Any) -> ForecastNote:
    return planned(article, **{"status": "written", "next_step_at": None, "data": note()} | fields)


def page(address: str, role: str = "editor") -> str:
    response = signed_in(role).get(address)
    assert response.status_code == 200
    return response.content.decode()


def article_page(row: ForecastNote) -> str:
    return page(reverse("admin:articles_article_change", args=[row.article_id]))


def paid() -> Provider:
    return Provider.objects.create(name="paid", kind=Provider.Kind.OPENAI, priority=1, price_out=1_000)


def test_an_article_shows_its_note() -> None:
    text = article_page(written())

    assert FACT in text
    assert "Продолжит ли перевалка расти?" in text
    assert '<progress class="wp-chance" max="100" value="65"' in text
    assert text.index('value="65"') < text.index('value="35"')


def test_an_article_without_notes_shows_no_empty_card() -> None:
    article = ArticleFactory.create()

    assert "wp-forecast" not in page(reverse("admin:articles_article_change", args=[article.pk]))


def test_a_failed_version_stands_above_the_one_that_holds() -> None:
    first = written()
    planned(first.article, version=2, status="failed", next_step_at=None, last_error="Нет ответа.")

    text = article_page(first)

    assert text.index("Нет ответа.") < text.index("wp-forecast-verdict")


def test_a_note_of_another_text_says_so() -> None:
    row = written(content_hash="b" * 64)

    text = article_page(row)

    assert row.is_outdated
    assert text.count("wp-notice") == 1


def test_what_the_article_does_not_say_is_marked() -> None:
    start = FACT.index("12%")
    finding = {"place": "key_facts.0", "kind": "percentage", "text": "12%", "start": start, "end": start + 3}

    text = page(f"{NOTES}{written(findings=[finding]).pk}/change/")

    assert ">12%</mark>" in text
    assert "wp-mark-bad" in text


def test_the_note_stands_beside_its_source_and_is_escaped() -> None:
    row = written(
        ArticleFactory.create(content="<script>alert(1)</script>"), data=note(key_facts=["<img src=x> вырос"])
    )

    text = page(f"{NOTES}{row.pk}/change/")

    assert "&lt;script&gt;alert(1)" in text
    assert "&lt;img src=x&gt; вырос" in text


def test_a_row_that_is_no_note_breaks_no_page() -> None:
    row = written(data={"event_type": "economy"})

    assert "wp-forecast-verdict" not in article_page(row)


def test_the_list_of_notes_costs_the_same_whatever_its_length(
    django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    editor, _first = signed_in("editor"), written()
    with django_assert_max_num_queries(16) as few:
        editor.get(NOTES)
    for _row in range(9):
        written()

    with django_assert_num_queries(len(few)):
        editor.get(NOTES)


@pytest.mark.parametrize(("value", "count"), [("written", 2), ("doubted", 1), ("failed", 1), ("none", 1)])
def test_articles_are_filtered_by_their_notes(value: str, count: int) -> None:
    written(), written(findings=[{"kind": "name"}])
    planned(status="failed", next_step_at=None)
    ArticleFactory.create()

    found = signed_in("editor").get(ARTICLES, {"forecast": value})

    assert found.context["cl"].result_count == count


def test_a_selection_is_asked_for_with_a_provider_and_its_price(rung: list[tuple[str, int]]) -> None:
    paid()
    chosen = [ArticleFactory.create().pk for _ in range(2)]
    editor, form = signed_in("editor"), {"action": "forecast_with", "_selected_action": chosen}

    shown = editor.post(ARTICLES, form).content.decode()
    assert not ForecastNote.objects.exists()
    editor.post(ARTICLES, form | {"_go": "1", "provider": "paid"})

    assert "paid ≈ $2" in shown
    assert "extractive" not in shown
    assert set(ForecastNote.objects.values_list("article", "wanted_provider")) == {(pk, "paid") for pk in chosen}
    assert len(rung) == 2


def test_the_offline_summariser_cannot_be_chosen(rung: list[tuple[str, int]]) -> None:
    paid()
    form = {"action": "forecast_with", "_selected_action": [ArticleFactory.create().pk], "_go": "1"}

    signed_in("editor").post(ARTICLES, form | {"provider": "extractive"})

    assert not ForecastNote.objects.exists()


def test_without_a_language_model_the_page_says_so() -> None:
    form = {"action": "forecast_with", "_selected_action": [ArticleFactory.create().pk]}

    answer = signed_in("editor").post(ARTICLES, form, follow=True)

    assert [message.level_tag for message in answer.context["messages"]] == ["warning"]


def test_one_article_is_asked_for_on_its_page(rung: list[tuple[str, int]]) -> None:
    article = ArticleFactory.create()
    address = reverse("admin:articles_article_change", args=[article.pk])
    editor = signed_in("editor")
    blank = editor.get(address).context
    form = blank["adminform"].form.initial | {"articles_article_save_and_forecast": "1"}
    for inline in blank["inline_admin_formsets"]:
        form |= {f"{inline.formset.prefix}-{count}_FORMS": 0 for count in ("TOTAL", "INITIAL")}

    answer = editor.post(address, {name: value for name, value in form.items() if value is not None})

    assert answer.status_code == 302, answer.context["errors"]
    assert rung == [("write_note", article.forecast_notes.get().pk)]


def test_operators_read_notes_and_ask_for_none() -> None:
    row, _provider = written(), paid()
    form = {"action": "forecast_with", "_selected_action": [row.article_id], "_go": "1", "provider": "paid"}
    assert FACT in page(f"{NOTES}{row.pk}/change/", "operator")
    operator = Client()
    operator.force_login(User.objects.get(username="operator"))

    operator.post(ARTICLES, form)

    assert ForecastNote.objects.count() == 1


def test_the_prompt_is_previewed_in_its_form_and_has_no_trials() -> None:
    ArticleFactory.create()
    prompt = prompts.current(Prompt.Kind.FORECAST)
    address = reverse("admin:articles_prompt_preview", args=[prompt.pk])

    text = page(address)

    assert "additionalProperties" in text
    assert 'name="provider"' not in text
    assert signed_in("publisher").post(address, {"article": Article.objects.get().pk}).status_code == 403
