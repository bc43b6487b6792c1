"""Article.objects.search: what is found, in which order, and that nothing anybody types can break it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from articles.indexing import catch_up
from articles.models import Article
from articles.search import finding, postgres, sqlite
from articles.search.finding import index_of
from articles.search.highlighting import SNIPPET, marked, snippet
from articles.search.query import parse
from tests.factories import ArticleFactory

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def written(title: str, text: str = "", *, days_ago: int = 0, **fields: Any) -> Article:
    """An article that says just this, and is indexed."""
    moment = NOW - timedelta(days=days_ago)
    article: Article = ArticleFactory(title=title, content=text, summary_text="", published_at=moment, **fields)
    catch_up()
    return article


def titles(text: str) -> list[str]:
    return [article.title for article in Article.objects.search(text)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Порт увеличил перевалку", "порты"),
        ("Порт увеличил перевалку", "ПЕРЕВАЛКА порта"),
        ("Цены на уголь", "угля"),
        ("Прошло три дня", "день"),
        ("Ёлку привезли", "елка"),
        ("Елку привезли", "ёлки"),
        ("За\u0301мок открыт", "замок"),
        ("Ferries are running again", "ferry run"),
        ("Северо-западный ветер", "северо-западному"),
        ("Закон № 152 принят", "152"),
    ],
)
def test_words_are_found_in_any_form(title: str, text: str) -> None:
    written(title)
    written("Совсем о другом")

    assert titles(text) == [title]


@pytest.mark.django_db
def test_titles_come_before_texts_and_then_the_newest_first() -> None:
    written("Старый заголовок о порте", days_ago=900)
    written("Новость", "В порту шторм.", days_ago=1)
    written("Новый заголовок о порте", days_ago=300)
    written("Другая новость", "Порт закрыт.", days_ago=2000)

    assert titles("порт") == ["Новый заголовок о порте", "Старый заголовок о порте", "Новость", "Другая новость"]


@pytest.mark.django_db
@pytest.mark.parametrize("text", ['"северный ветер"', "«северного ветра»", "“Северный ветер”", '"северный ветер'])
def test_a_phrase_is_found_where_its_words_stand_side_by_side(text: str) -> None:
    written("Да", "Дует северный ветер.")
    written("Нет", "Ветер северный. Северный холодный ветер.")

    assert titles(text) == ["Да"]


@pytest.mark.django_db
def test_the_words_of_a_phrase_may_have_stems_that_are_nothing_alike() -> None:
    written("Прошло три трудных дня")
    written("Дни трудные")

    assert titles('"трудный день"') == ["Прошло три трудных дня"]


@pytest.mark.django_db
def test_no_phrase_reaches_from_the_title_into_the_text() -> None:
    written("Дует северный", "Ветер стих.")

    assert titles('"северный ветер"') == []


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["порт -шторм", "порт −шторма", '-"сильный шторм" порт', "порт -штормами -град"])
def test_what_is_excluded_is_left_out_wherever_it_stands(text: str) -> None:
    written("Порт открыт")
    written("Порт закрыт", "Сильный шторм.")
    written("Сильный шторм", "В порту.")

    assert titles(text) == ["Порт открыт"]


@pytest.mark.django_db
def test_an_exclusion_alone_finds_all_the_others() -> None:
    written("Порт", days_ago=1)
    written("Шторм")
    written("Давний порт", days_ago=4000)

    assert titles("-шторм") == ["Порт", "Давний порт"]


@pytest.mark.django_db
def test_words_may_stand_apart_in_title_and_text() -> None:
    written("Порт", "Перевалка угля.")

    assert titles("уголь порт") == ["Порт"]


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", "   ", "и", "— «» …", "-", '""', "\x00"])
def test_a_text_without_a_word_finds_nothing(text: str) -> None:
    written("Порт и море")

    assert titles(text) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    [
        "'",
        "порт'; DROP TABLE articles_article; --",
        "x'y\\z",
        "порт*",
        "(порт",
        "порт)) & |",
        ":* !порт <-> ",
        "title:порт",
        "{title body} : порт",
        "NEAR(порт море, 2)",
        "порт AND OR NOT море",
        "^порт",
        "%s %(x)s {0}",
        "порт\x00море",
        "\ud800порт",
        "@24000 =порт",
        "порт " * 500,
        "я" * 5000,
        "🚢 порт 漢字 पोर्ट",
    ],
)
def test_hostile_text_never_raises(text: str) -> None:
    written("Порт и море")

    assert set(titles(text)) <= {"Порт и море"}


@pytest.mark.django_db
def test_only_what_the_filters_leave_is_searched() -> None:
    here = written("Порт здесь")
    written("Порт там")

    found = Article.objects.filter(source=here.source).search("порт")

    assert list(found) == [here]


@pytest.mark.django_db
def test_filters_reach_beyond_the_candidates_that_are_compared_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST_COMPARED", 2)
    oldest = written("Порт здесь", days_ago=3, language="ru")
    for day in range(3):
        written("Порт там", days_ago=day, language="en")

    assert list(Article.objects.filter(language="ru").search("порт")) == [oldest]


@pytest.mark.django_db
def test_the_index_itself_looks_among_the_articles_of_one_source(monkeypatch: pytest.MonkeyPatch) -> None:
    here = written("Порт здесь", days_ago=3)
    written("Порт там")
    asked = Mock(wraps=index_of(connection))
    monkeypatch.setattr(finding, "index_of", lambda _connection: asked)

    list(Article.objects.filter(source=here.source).search("порт"))

    assert all(f"s{here.source_id}" in call.args[1] for call in asked.newest.call_args_list)


@pytest.mark.django_db
def test_a_word_that_is_everywhere_finds_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST", 2)
    for days_ago in (5000, 1, 400, 30):
        written(f"Порт {days_ago}", days_ago=days_ago)

    assert titles("порт") == ["Порт 1", "Порт 30"]


@pytest.mark.django_db
def test_a_search_that_takes_too_long_ends_with_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    written("Порт")
    monkeypatch.setattr(sqlite, "DEADLINE", -1)
    monkeypatch.setattr(sqlite, "STEPS", 1)
    monkeypatch.setattr(postgres, "DEADLINE", 0.01)
    slow: tuple[str, list[Any]] = ("SELECT article_id FROM articles_searchindex, pg_sleep(60)", [])
    monkeypatch.setattr(postgres.PostgresIndex, "matching", lambda *_args, **_options: slow)

    assert titles("порт") == []


@pytest.mark.django_db
def test_a_search_leaves_the_connection_as_it_was() -> None:
    written("Порт")
    titles("порт")

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT current_setting('statement_timeout'), current_setting('enable_seqscan')")
        else:
            cursor.execute("SELECT '0', 'on'")
        assert cursor.fetchone() == ("0", "on")


# --- the words and their marks, without a database ------------------------------------------------------------------


@given(st.text())
def test_any_text_is_a_query_that_either_database_can_read(text: str) -> None:
    query = parse(text)

    for span in (["y2026"], []):
        assert "\x00" not in postgres.tsquery(query, span, in_title=True)
        assert sqlite.match(query, span, in_title=False).count('"') % 2 == 0


@given(st.text(), st.text())
def test_marking_changes_nothing_but_adds_marks(text: str, words: str) -> None:
    html = marked(text, parse(words))

    assert unescape(re.sub(r'<mark class="wp-hit">|</mark>', "", html)) == unescape(text.replace("&", "&amp;"))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("Ёлки", "елка"),
        ("Елки", "ёлка"),
        ("е\u0308лки", "ёлка"),
        ("Йода", "йод"),
        ("и\u0306ода", "йод"),
        ("ПО\u0301РТЫ", "порт"),
        ("пор\u00adты", "порт"),
    ],
)
def test_a_word_is_marked_however_it_is_written(written: str, words: str) -> None:
    html = marked(f"Опять {written}, без_{written}, вновь.", parse(words))

    assert html.count(f'<mark class="wp-hit">{written}</mark>') == html.count("<mark")
    assert html.startswith(f'Опять <mark class="wp-hit">{written}</mark>, без_')


def test_markup_in_a_text_is_shown_as_text() -> None:
    html = marked('<script>alert("порт")</script>', parse("порты"))

    assert html == '&lt;script&gt;alert(&quot;<mark class="wp-hit">порт</mark>&quot;)&lt;/script&gt;'


def test_a_snippet_shows_the_first_hit_and_what_stands_around_it() -> None:
    text = "Слово за словом. " * 40 + "Порты закрыты. " + "Ещё слово. " * 40

    html = snippet(["Ничего.", text], parse("порт"))

    assert html.startswith("… ")
    assert '<mark class="wp-hit">Порты</mark> закрыты.' in html
    assert len(html) < SNIPPET + 60


def test_a_snippet_without_a_hit_is_the_beginning() -> None:
    assert snippet(["", "Начало текста."], parse("порт")) == "Начало текста."
