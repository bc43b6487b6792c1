"""What an entry that has changed does to its article."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from articles import storing
from articles.ingest import ingest
from articles.models import Article, Source
from tests.articles.changing import change
from tests.factories import ArticleFactory
from tests.fakes.feed_server import FeedServer
from tests.fakes.feeds import NOON, Item, rss, story

pytestmark = pytest.mark.django_db

SourceOf = Callable[..., Source]


def summarised(**fields: Any) -> None:
    Article.objects.update(status="summarised", next_step_at=None, summary_text="Кратко.", **fields)


def test_a_changed_text_is_stored_and_summarised_again(source_of: SourceOf, server: FeedServer) -> None:
    source = source_of(rss([Item(text=story(1, 900))]))
    ingest([source])
    summarised()

    report = ingest([change(server, source, Item(title="Порт: уточнение", text=story(2, 900)))])

    article = Article.objects.get()
    assert (report.updated, article.title, article.status) == (1, "Порт: уточнение", "ready")
    assert article in Article.objects.due()
    assert article.content_hash == storing.fingerprint(article.content)


def test_a_change_beside_the_text_asks_for_no_new_summary(source_of: SourceOf, server: FeedServer) -> None:
    source = source_of(rss([Item(text=story(1, 900))]))
    ingest([source])
    summarised()

    ingest([change(server, source, Item(text=story(1, 900), topic="Порт"))])

    assert (Article.objects.get().topic, Article.objects.get().status) == ("Порт", "summarised")


def test_a_changed_announcement_sends_for_the_page_again_and_keeps_the_text(
    source_of: SourceOf, server: FeedServer
) -> None:
    source = source_of(rss([Item()]))
    ingest([source])
    summarised(content="Полный текст со страницы.")

    ingest([change(server, source, Item(lead="Уточнение."))])

    article = Article.objects.get()
    assert (article.status, article.lead, article.content) == ("new", "Уточнение.", "Полный текст со страницы.")


def test_what_a_person_has_edited_stays(source_of: SourceOf, server: FeedServer) -> None:
    source = source_of(rss([Item()]))
    ingest([source])
    Article.objects.update(title="Правка", edited_at=timezone.now())

    report = ingest([change(server, source, Item(title="Из ленты"))])

    assert (Article.objects.get().title, report.updated) == ("Правка", 0)


@pytest.mark.parametrize(
    ("date", "expected", "precision"),
    [
        ("2026-11-19", NOON, "minute"),
        ("", NOON, "minute"),
        ("2026-11-19T08:00:00Z", datetime(2026, 11, 19, 8, 0, tzinfo=UTC), "minute"),
    ],
)
def test_a_known_time_is_never_replaced_by_a_vaguer_one(
    source_of: SourceOf, server: FeedServer, date: str, expected: datetime, precision: str
) -> None:
    source = source_of(rss([Item()]))
    ingest([source])

    ingest([change(server, source, Item(title="Новое", date=date))])

    assert (Article.objects.get().published_at, Article.objects.get().published_precision) == (expected, precision)


def test_an_article_from_an_archive_keeps_its_text_and_its_step(source_of: SourceOf) -> None:
    source = source_of(rss([Item(text=story(1, 900))]))
    ArticleFactory(source=source, canonical_link="https://news.example/1", content="Из архива.", status="summarised")

    ingest([source])

    article = Article.objects.get()
    assert (article.content, article.status, article.next_step_at) == ("Из архива.", "summarised", None)
    assert article.title == "Порт увеличил перевалку угля"
