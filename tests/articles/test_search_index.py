"""The index follows the texts: whoever changes them, whatever is killed, and however many follow at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction

from articles import indexing, tagging
from articles.indexing import catch_up, keep_watching, note_all, rebuild, waiting
from articles.models import Article, ChangedText
from articles.search.finding import index_of
from tests.factories import ArticleFactory, SourceFactory

pytestmark = pytest.mark.django_db


def titles(text: str) -> list[str]:
    return [article.title for article in Article.objects.search(text)]


def bulk(count: int) -> list[Article]:
    source = SourceFactory()
    return Article.objects.bulk_create(
        [ArticleFactory.build(source=source, title=f"Баржа {number}") for number in range(count)]
    )


def test_rows_that_are_made_in_bulk_are_noted_and_indexed() -> None:
    bulk(3)

    assert catch_up() == 3
    assert len(titles("баржи")) == 3


def test_a_text_that_is_changed_by_an_update_is_found_anew() -> None:
    article = ArticleFactory(title="Баржа")
    catch_up()
    Article.objects.filter(pk=article.pk).update(title="Паром")

    catch_up()

    assert (titles("баржа"), titles("паром")) == ([], ["Паром"])


def test_a_text_that_is_changed_by_plain_sql_is_found_anew() -> None:
    article = ArticleFactory(title="Баржа")
    catch_up()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE articles_article SET title = 'Паром' WHERE id = %s", [article.pk])

    catch_up()

    assert titles("паром") == ["Паром"]


def test_a_step_of_the_pipeline_is_no_change_of_the_text() -> None:
    article = ArticleFactory()
    catch_up()

    Article.objects.filter(pk=article.pk).update(attempts=3, status="ready", title=article.title)

    assert waiting() == 0


def test_an_article_that_is_gone_leaves_the_index() -> None:
    article = ArticleFactory(title="Баржа")
    catch_up()
    article.delete()

    catch_up()

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM articles_searchindex")
        assert cursor.fetchone() == (0,)


def test_a_kill_while_writing_leaves_the_note(monkeypatch: pytest.MonkeyPatch) -> None:
    ArticleFactory(title="Баржа")

    def killed(*_args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tagging, "settle", killed)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        catch_up()
    monkeypatch.undo()

    assert catch_up() == 1
    assert titles("баржа") == ["Баржа"]


def test_a_change_that_comes_while_the_last_one_is_followed_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    article = ArticleFactory(title="Баржа")
    wanted = tagging.wanted

    def slow(*args: Any) -> Any:
        Article.objects.filter(pk=article.pk, title="Баржа").update(title="Паром")
        return wanted(*args)

    monkeypatch.setattr(tagging, "wanted", slow)

    catch_up()

    assert (titles("баржа"), titles("паром")) == ([], ["Паром"])


def test_who_follows_too_late_does_not_overwrite_the_newer_text(monkeypatch: pytest.MonkeyPatch) -> None:
    article = ArticleFactory(title="Баржа")
    wanted, follow = tagging.wanted, indexing._follow_some

    def overtaken(*args: Any) -> Any:
        monkeypatch.setattr(tagging, "wanted", wanted)
        Article.objects.filter(pk=article.pk).update(title="Паром")
        follow()
        return wanted(*args)

    monkeypatch.setattr(tagging, "wanted", overtaken)

    catch_up()

    assert (titles("баржа"), titles("паром")) == ([], ["Паром"])


def test_a_bounded_number_is_followed_and_the_rest_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "AT_ONCE", 2)
    bulk(5)

    assert (catch_up(most=4), waiting()) == (4, 1)


def test_a_rebuild_makes_the_index_anew_and_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "AT_ONCE", 2)
    bulk(5)
    catch_up()
    index_of(connection).remove(list(Article.objects.values_list("pk", flat=True)))
    progress = list[int]()

    rebuild(progress=progress.append, should_stop=lambda: len(progress) == 2)
    stopped = len(titles("баржа"))
    catch_up()

    assert (progress, stopped, len(titles("баржа"))) == ([2, 2], 4, 5)


def test_all_articles_are_noted_the_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "QUEUED_AT_ONCE", 2)
    articles = bulk(5)
    ChangedText.objects.all().delete()

    note_all()

    noted = ChangedText.objects.order_by("pk").values_list("article_id", flat=True)
    assert list(noted) == [article.pk for article in reversed(articles)]


def test_changes_are_watched_again_after_a_migration_has_made_the_table_anew() -> None:
    index = index_of(connection)
    index.drop()
    index.create()

    keep_watching(using="default")
    ArticleFactory()

    assert waiting() == 1


def test_the_index_costs_the_same_queries_for_one_and_for_many(django_assert_max_num_queries: Any) -> None:
    bulk(2)
    with django_assert_max_num_queries(20) as few:
        catch_up()
    bulk(30)

    with django_assert_max_num_queries(len(few)):
        catch_up()
