"""Stories in the admin: side by side, merged, split and led, by those who may."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from articles.duplicates import rebuild
from articles.models import Article, Story, StoryDecision
from tests.articles.invented_news import revised, text
from tests.articles.test_duplicates_rebuild import loaded
from tests.people import signed_in

LIST = "/admin/articles/story/"

pytestmark = pytest.mark.django_db


def story_of(*contents: str, **fields: Any) -> Story:
    loaded(*contents, **fields)
    rebuild()
    return Story.objects.get()


def address(story: Story) -> str:
    return reverse("admin:articles_story_change", args=[story.pk])


def page(story: Story, query: str = "", role: str = "editor") -> str:
    response = signed_in(role).get(address(story) + query)
    assert response.status_code == 200
    return response.content.decode()


def test_a_list_of_stories_costs_what_one_costs(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    story_of(text(1), revised(text(1)), title="Порт вырос")
    editor = signed_in("editor")
    editor.get(LIST)
    with CaptureQueriesContext(connection) as for_one:
        editor.get(LIST)
    loaded(*(content for number in range(2, 9) for content in (text(number), revised(text(number)))))
    rebuild()

    with django_assert_max_num_queries(len(for_one)):
        listed = editor.get(LIST).content.decode()

    assert "Порт вырос" in listed
    assert listed.count("field-main_article") == 8


def test_a_story_is_found_by_the_number_of_an_article() -> None:
    story = story_of(text(1), revised(text(1)), title="Порт вырос")
    copy = Article.objects.get(duplicate_of__isnull=False)

    assert "Порт вырос" in signed_in("editor").get(LIST, {"q": str(copy.pk)}).content.decode()
    assert "Порт вырос" not in signed_in("publisher").get(LIST, {"q": str(copy.pk + 9)}).content.decode()
    assert story.articles.count() == 2


def test_what_differs_is_marked_on_both_sides() -> None:
    content = f"Порт увеличил перевалку на 12%. {text(1)}"
    shown = page(story_of(content, content.replace("12%", "21%")))

    assert '<mark class="wp-mark wp-mark-note">12%.</mark>' in shown
    assert '<mark class="wp-mark wp-mark-note">21%.</mark>' in shown


def test_texts_from_outside_are_escaped() -> None:
    shown = page(story_of(text(1), f"{text(1)} <script>alert(1)</script>", title="<b>Порт</b>"))

    assert "<script>alert(1)" not in shown
    assert "<b>Порт</b>" not in shown
    assert "&lt;script&gt;alert(1)" in shown


def test_any_copy_can_be_looked_at() -> None:
    story = story_of(text(1), revised(text(1), seed=1), f"{text(1)} Новое.")
    last = story.articles.order_by("pk").last()

    assert last
    assert "Новое." not in page(story)
    assert "Новое." in page(story, f"?copy={last.pk}", role="publisher")


def test_a_copy_is_split_off_and_the_editor_is_remembered() -> None:
    story = story_of(text(1), revised(text(1), seed=1), revised(text(1), seed=2))
    copy = story.articles.order_by("pk").last()
    assert copy

    answer = signed_in("editor").post(address(story), {"_split": copy.pk})

    assert answer["Location"] == address(story)
    decision = StoryDecision.objects.get()
    assert (decision.article, decision.verb, str(decision.decided_by)) == (copy, "split", "editor")
    assert LogEntry.objects.get().change_message == f"split {copy.pk}"
    assert story.articles.count() == 2


def test_a_story_of_one_article_is_none() -> None:
    story = story_of(text(1), revised(text(1)))
    copy = Article.objects.get(duplicate_of__isnull=False)

    answer = signed_in("editor").post(address(story), {"_split": copy.pk})

    assert answer["Location"] == LIST
    assert not Story.objects.exists()


def test_another_article_is_made_the_main_one() -> None:
    story = story_of(text(1), revised(text(1)))
    copy = Article.objects.get(duplicate_of__isnull=False)

    signed_in("editor").post(address(story), {"_main": copy.pk})

    assert story.main == copy
    assert f'name="_main" value="{story.articles.exclude(pk=copy.pk).get().pk}"' in page(story, role="publisher")


def test_an_article_is_added_by_its_number() -> None:
    story = story_of(text(1), revised(text(1)))
    (other,) = loaded(text(7))

    signed_in("editor").post(address(story), {"_merge": "", "article": str(other.pk)})

    other.refresh_from_db()
    assert other.story == story


@pytest.mark.parametrize("form", [{"_merge": "", "article": "port"}, {"_merge": "", "article": "99999999"}, {}])
def test_a_wrong_number_changes_nothing(form: dict[str, str]) -> None:
    story = story_of(text(1), revised(text(1)))

    answer = signed_in("editor").post(address(story), form)

    assert answer.status_code == 302
    assert story.articles.count() == 2


@pytest.mark.parametrize(("role", "sees"), [("operator", 200), ("", 403)])
def test_only_who_may_decides(role: str, sees: int) -> None:
    story = story_of(text(1), revised(text(1)))
    copy = Article.objects.get(duplicate_of__isnull=False)
    client = signed_in(role)

    assert client.get(address(story)).status_code == sees
    assert client.post(address(story), {"_split": copy.pk}).status_code == 403
    assert story.articles.count() == 2


def test_chosen_articles_are_made_one_story() -> None:
    one, other = loaded(text(1), text(2))
    form = {"action": "merge_selected", "_selected_action": [other.pk, one.pk]}

    answer = signed_in("editor").post("/admin/articles/article/", form)

    story = Story.objects.get()
    assert answer["Location"] == address(story)
    assert story.main == one


def test_an_edited_text_is_compared_again() -> None:
    (article,) = loaded(text(1))
    form = {"title": "Порт", "content": text(2), "summary_text": "", "lead": "", "topic": ""}
    inlines = {"summaries-TOTAL_FORMS": "0", "summaries-INITIAL_FORMS": "0"}

    signed_in("editor").post(reverse("admin:articles_article_change", args=[article.pk]), form | inlines)

    article.refresh_from_db()
    assert article.content == text(2)
    assert article.compare_at is not None
