"""Tags in the admin: corrected on the article, ruled, looked at beforehand; and what a search shows in the list."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from articles.indexing import catch_up
from articles.models import Article, ArticleTag, RefusedTag, Tag, TagRule
from tests.factories import ArticleFactory
from tests.people import signed_in

pytestmark = pytest.mark.django_db

ARTICLES = "/admin/articles/article/"
RULES = "/admin/articles/tagrule/"


@pytest.fixture
def editor() -> Client:
    return signed_in("editor")


def save(client: Client, article: Article, *tags: Tag, **changes: Any) -> None:
    """Send the article's form with these tags."""
    form = {name: getattr(article, name) for name in ("title", "summary_text", "lead", "content", "topic")}
    inline = {"summaries-TOTAL_FORMS": 0, "summaries-INITIAL_FORMS": 0}
    answer = client.post(
        f"{ARTICLES}{article.pk}/change/", form | inline | {"filed_under": [tag.pk for tag in tags]} | changes
    )
    assert answer.status_code == 302


def test_an_editor_corrects_the_tags_of_an_article(editor: Client) -> None:
    article = ArticleFactory(topic="Экономика")
    catch_up()
    sea = Tag.objects.create(name="Море")

    save(editor, article, sea)

    assert list(ArticleTag.objects.values_list("tag__name", "origin")) == [("Море", "editor")]
    assert RefusedTag.objects.get().tag.name == "Экономика"
    assert RefusedTag.objects.get().refused_by is not None


def test_correcting_tags_does_not_stop_the_source_from_correcting_the_text(editor: Client) -> None:
    article = ArticleFactory()

    save(editor, article, Tag.objects.create(name="Море"))

    article.refresh_from_db()
    assert article.edited_at is None


def test_saving_without_touching_the_tags_makes_them_nobody_elses(editor: Client) -> None:
    article = ArticleFactory(topic="Экономика")
    catch_up()

    save(editor, article, Tag.objects.get(), title="Другой заголовок")

    assert ArticleTag.objects.get().origin == ArticleTag.Origin.TOPIC


def test_who_may_only_look_sees_who_gave_each_tag() -> None:
    article = ArticleFactory(topic="Экономика")
    catch_up()

    page = signed_in("operator").get(f"{ARTICLES}{article.pk}/change/").content.decode()

    assert "Экономика (" in page


def test_articles_are_filtered_by_a_tag(editor: Client) -> None:
    ArticleFactory(title="С меткой", topic="Экономика")
    ArticleFactory(title="Без метки")
    catch_up()

    page = editor.get(ARTICLES, {"tags__id__exact": Tag.objects.get().pk}).content.decode()

    assert "С меткой" in page
    assert "Без метки" not in page


def test_tags_are_offered_by_a_part_of_their_name(editor: Client) -> None:
    Tag.objects.named(["Экономика", "Море"])
    asked = {"app_label": "articles", "model_name": "article", "field_name": "tags", "term": "эконом"}

    offered = editor.get("/admin/autocomplete/", asked).json()["results"]

    assert [each["text"] for each in offered] == ["Экономика"]


def test_a_rule_shows_what_it_would_match_and_saves_nothing(editor: Client) -> None:
    ArticleFactory(title="Порт закрыт", content="", summary_text="")
    ArticleFactory(title="Мост открыт", content="", summary_text="")

    page = editor.post(f"{RULES}preview/", {"kind": "words", "pattern": "порты"}).content.decode()

    assert "Порт закрыт" in page
    assert "Мост открыт" not in page
    assert not TagRule.objects.exists()


def test_a_preview_of_a_slow_expression_ends_and_says_so(editor: Client) -> None:
    for _number in range(4):
        ArticleFactory(title="а" * 40)

    answer = editor.post(f"{RULES}preview/", {"kind": "regex", "pattern": r"(?:а|аа)+б"})

    assert answer.context["preview"].is_slow


def test_an_expression_that_is_none_is_refused(editor: Client) -> None:
    tag = Tag.objects.create(name="Море")

    editor.post(f"{RULES}add/", {"tag": tag.pk, "kind": "regex", "pattern": "("})

    assert not TagRule.objects.exists()


def test_an_operator_may_not_preview_rules() -> None:
    answer = signed_in("operator").post(f"{RULES}preview/", {"kind": "words", "pattern": "порт"})

    assert answer.status_code == 403


def test_a_second_spelling_of_a_tag_is_refused(editor: Client) -> None:
    Tag.objects.create(name="В мире")
    rules = {"rules-TOTAL_FORMS": 0, "rules-INITIAL_FORMS": 0}

    editor.post("/admin/articles/tag/add/", {"name": "в МИРЕ!", **rules})

    assert Tag.objects.count() == 1


def test_a_search_shows_what_it_found_and_escapes_the_rest(editor: Client) -> None:
    ArticleFactory(title="Порт <b>закрыт</b>", summary_text="", lead="", content="Шторм & ветер <i>в порту</i>.")
    catch_up()

    page = editor.get(ARTICLES, {"q": "порты"}).content.decode()

    assert '<mark class="wp-hit">Порт</mark> &lt;b&gt;закрыт&lt;/b&gt;' in page
    assert 'Шторм &amp; ветер &lt;i&gt;в <mark class="wp-hit">порту</mark>&lt;/i&gt;' in page


def test_a_search_costs_the_same_whatever_it_finds(
    editor: Client, django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    ArticleFactory.create_batch(11, title="Порт", topic="Экономика")
    catch_up()
    with django_assert_max_num_queries(50) as few:
        editor.get(ARTICLES, {"q": "порт"})
    ArticleFactory.create_batch(10, title="Порт", topic="Экономика")
    catch_up()

    with django_assert_num_queries(len(few)):
        editor.get(ARTICLES, {"q": "порт"})
