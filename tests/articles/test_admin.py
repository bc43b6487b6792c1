"""Articles, sources and dead letters in the admin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from articles.indexing import catch_up
from articles.models import Article, DeadLetter, Source, Summary
from articles.storing import fingerprint
from tests.factories import ArticleFactory, SourceFactory
from tests.people import signed_in

pytestmark = pytest.mark.django_db

ARTICLES = "/admin/articles/article/"
SOURCES = "/admin/articles/source/"


@pytest.fixture
def editor() -> Client:
    return signed_in("editor")


@pytest.fixture
def operator() -> Client:
    return signed_in("operator")


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The doorbells that were rung, instead of workers that would go to the network."""
    bells: list[tuple[str, Any]] = []
    for module in ("articles.admin.article", "articles.admin.source"):
        monkeypatch.setattr(f"{module}.ring", lambda task, pk: bells.append((task.name.rpartition(".")[2], pk)))
    return bells


# --- articles -------------------------------------------------------------------------------------------------------


def test_the_list_costs_the_same_whatever_its_length(
    editor: Client, django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    ArticleFactory.create_batch(2)
    with django_assert_max_num_queries(16) as few:
        editor.get(ARTICLES)
    ArticleFactory.create_batch(20)

    with django_assert_num_queries(len(few)):
        editor.get(ARTICLES)


def test_the_list_reads_no_long_texts(editor: Client, django_assert_max_num_queries: Any) -> None:
    ArticleFactory()

    with django_assert_max_num_queries(16) as asked:
        editor.get(ARTICLES)

    assert not any('"articles_article"."content"' in query["sql"] for query in asked.captured_queries)


@pytest.mark.parametrize("wanted", ["ПЕРЕВАЛКУ угля", "https://news.example/port", "{pk}"])
def test_an_article_is_found_by_its_title_its_address_and_its_number(editor: Client, wanted: str) -> None:
    article = ArticleFactory(title="Перевалку угля увеличили", canonical_link="https://news.example/port")
    ArticleFactory(title="Совсем о другом", canonical_link="https://news.example/other", content="", summary_text="")
    term = wanted.format(pk=article.pk)
    catch_up()

    page = editor.get(ARTICLES, {"q": term}).content.decode()

    assert "увеличили" in page
    assert "Совсем о другом" not in page


def test_articles_are_filtered_by_status(editor: Client) -> None:
    ArticleFactory(title="Ждёт текста", status=Article.Status.NEW)
    ArticleFactory(title="Пересказана давно")

    page = editor.get(ARTICLES, {"status__exact": "new"}).content.decode()

    assert "Ждёт текста" in page
    assert "Пересказана давно" not in page


def test_an_edit_by_a_person_is_noted(editor: Client) -> None:
    article = ArticleFactory()
    form = {"title": "Новый заголовок", "summary_text": "Кратко", "lead": "", "content": "Текст", "topic": ""}
    formset = {"summaries-TOTAL_FORMS": 0, "summaries-INITIAL_FORMS": 0}

    editor.post(reverse("admin:articles_article_change", args=[article.pk]), form | formset)

    article.refresh_from_db()
    assert article.title == "Новый заголовок"
    assert article.edited_at is not None
    assert article.content_hash == fingerprint("Текст")


def test_an_article_shows_every_version_of_its_summary(editor: Client) -> None:
    article = ArticleFactory()
    Summary.objects.create(article=article, version=1, text="Первый пересказ", provider="extractive")
    Summary.objects.create(article=article, version=2, text="Второй пересказ", provider="extractive")

    page = editor.get(reverse("admin:articles_article_change", args=[article.pk])).content.decode()

    assert "Первый пересказ" in page
    assert "Второй пересказ" in page


def test_summarising_again_makes_articles_due(editor: Client, rung: list[tuple[str, Any]]) -> None:
    article = ArticleFactory()

    editor.post(ARTICLES, {"action": "summarise_again_selected", "index": 0, "_selected_action": [article.pk]})

    article.refresh_from_db()
    assert article.status == Article.Status.READY
    assert Article.objects.due().get() == article
    assert rung == [("summarise_article", article.pk)]


# --- sources --------------------------------------------------------------------------------------------------------


def test_a_source_says_how_it_is(operator: Client) -> None:
    SourceFactory(name="Бодрый", last_success_at=timezone.now() - timedelta(minutes=4))
    SourceFactory(name="Больной", consecutive_failures=3, last_error="Сервер ответил 403.")

    page = operator.get(SOURCES).content.decode()

    assert "4\xa0минуты назад" in page
    assert "Сервер ответил 403. · попытка 4" in page


def test_a_broken_source_shows_its_error_on_top_of_its_page(operator: Client) -> None:
    source = SourceFactory(consecutive_failures=3, last_error="Сервер ответил 403.")

    page = operator.get(reverse("admin:articles_source_change", args=[source.pk])).content.decode()

    assert "Не удалось прочитать 3 раза подряд." in page


def test_fetching_now_makes_sources_due_and_rings(operator: Client, rung: list[tuple[str, Any]]) -> None:
    source = SourceFactory(next_fetch_at=timezone.now() + timedelta(hours=1))
    asleep = SourceFactory(is_active=False, next_fetch_at=timezone.now() + timedelta(hours=1))
    chosen = {"_selected_action": [source.pk, asleep.pk]}

    operator.post(SOURCES, {"action": "fetch_selected", "index": 0, **chosen})

    assert list(Source.objects.due()) == [source]
    assert rung == [("fetch_source", source.pk)]


def test_switching_sources_off_is_kept_in_their_history(operator: Client) -> None:
    source = SourceFactory()

    operator.post(SOURCES, {"action": "switch_off", "index": 0, "_selected_action": [source.pk]})

    source.refresh_from_db()
    assert not source.is_active
    assert source.history.first().history_user.username == "operator"


def test_an_editor_may_look_at_sources_but_not_change_them(editor: Client) -> None:
    source = SourceFactory()

    page = editor.get(SOURCES).content.decode()
    editor.post(SOURCES, {"action": "switch_off", "index": 0, "_selected_action": [source.pk]})

    assert source.name in page
    assert Source.objects.get(pk=source.pk).is_active


# --- dead letters ---------------------------------------------------------------------------------------------------


def test_a_dead_letter_is_shown_with_its_reason_and_can_be_discarded(operator: Client) -> None:
    DeadLetter.record(DeadLetter.EntityType.PAGE, "https://news.example/gone", "gone", "Страницы больше нет.", 3)
    letter = DeadLetter.objects.get()
    deletion = {"action": "discard_selected", "index": 0, "_selected_action": [letter.pk]}

    page = operator.get("/admin/articles/deadletter/").content.decode()
    operator.post("/admin/articles/deadletter/", deletion)

    assert "Страницы больше нет." in page
    assert not DeadLetter.objects.exists()


@pytest.mark.parametrize(
    ("precision", "zone", "hour", "written"),
    [
        ("day", "Europe/Moscow", 21, "20 мая 2024"),
        ("day", "Asia/Vladivostok", 14, "20 мая 2024"),
        ("minute", "Europe/Moscow", 21, "20 мая 2024, 00:00"),
        ("minute", "Asia/Vladivostok", 21, "20 мая 2024, 00:00"),
    ],
)
def test_an_hour_that_nobody_knows_is_not_shown(precision: str, zone: str, hour: int, written: str) -> None:
    published_at = datetime(2024, 5, 19, hour, tzinfo=UTC)
    article = Article(source=Source(time_zone=zone), published_at=published_at, published_precision=precision)

    assert article.published_when == written
