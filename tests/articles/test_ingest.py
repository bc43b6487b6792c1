"""ingest: each entry becomes one article, whatever the feeds and the servers do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from pytest_django import DjangoAssertNumQueries

from articles.ingest import fetch_source, ingest
from articles.models import Article, Source
from tests.articles.changing import again, change
from tests.fakes.feed_server import FeedServer
from tests.fakes.feeds import NOON, Item, atom, items, rdf, rss, story
from usage.models import SessionStatsDaily

pytestmark = pytest.mark.django_db

SourceOf = Callable[..., Source]


# --- what is stored ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("write", "encoding"), [(rss, "windows-1251"), (atom, "utf-8"), (rdf, "koi8-r")])
def test_every_entry_becomes_an_article(source_of: SourceOf, write: Callable[..., bytes], encoding: str) -> None:
    source = source_of(write(items(30), encoding=encoding))

    report = ingest([source])

    assert str(report) == "sources=1 new=30 updated=0 unchanged=0 failed=0"
    article = Article.objects.get(canonical_link="https://news.example/news/view/1")
    assert article.title == "Об этом сообщила пресс-служба предприятия в пятницу вечером, выпуск 1"
    assert article.published_at == NOON - timedelta(minutes=1)
    assert (article.source, article.language, article.published_precision) == (source, "ru", "minute")


def test_a_second_run_finds_everything_unchanged_and_asks_for_no_body(source_of: SourceOf, server: FeedServer) -> None:
    source = source_of(rss(items(3)), etag='"1"')
    ingest([source])

    report = ingest([again(source)])

    assert str(report) == "sources=1 new=0 updated=0 unchanged=3 failed=0"
    assert [request.status for request in server.requests] == [200, 304]


def test_the_same_body_is_not_read_again_where_the_server_knows_no_validators(source_of: SourceOf) -> None:
    source = source_of(rss(items(3)))
    ingest([source])

    with CaptureQueriesContext(
        connection,
    ) as queries:
        report = ingest([again(source)])

    assert str(report) == "sources=1 new=0 updated=0 unchanged=3 failed=0"
    assert not [query for query in queries if "articles_article" in query["sql"]]


def test_an_unchanged_entry_of_a_changed_feed_writes_nothing(source_of: SourceOf, server: FeedServer) -> None:
    first, second = items(2)
    source = source_of(rss([second]))
    ingest([source])

    with CaptureQueriesContext(connection) as queries:
        report = ingest([change(server, source, first, second)])

    assert (report.new, report.updated, report.unchanged) == (1, 0, 1)
    assert not [query for query in queries if query["sql"].startswith('UPDATE "articles_article"')]


@pytest.mark.parametrize("count", [1, 30])
def test_the_number_of_queries_does_not_depend_on_the_feed(
    source_of: SourceOf, server: FeedServer, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    source = source_of(rss(items(count)))
    SessionStatsDaily.add()  # today's row

    # The claim; in a transaction with a savepoint: look, insert, outcome; and the statistics.
    with django_assert_num_queries(9):
        ingest([source])


@pytest.mark.parametrize("count", [1, 30])
def test_the_number_of_queries_does_not_depend_on_what_has_changed(
    source_of: SourceOf, server: FeedServer, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    source = source_of(rss(items(count)))
    ingest([source])
    changed = change(server, source, *items(count, length=1200))

    # The same, but instead of the insert: read what is to be changed, and change it.
    with django_assert_num_queries(10):
        ingest([changed])


def test_entries_without_a_date_keep_the_order_of_the_feed(source_of: SourceOf) -> None:
    source = source_of(rss([Item(link=f"https://news.example/{name}", title=name, date="") for name in "abc"]))

    ingest([source])

    assert list(Article.objects.values_list("title", "published_precision")) == [(name, "seen") for name in "abc"]


def test_an_article_belongs_to_the_source_that_had_it_first(source_of: SourceOf) -> None:
    first, second = source_of(rss([Item()])), source_of(rss([Item(title="Иначе")]))

    reports = [ingest([source]) for source in (first, second)]

    assert [(report.new, report.updated, report.unchanged) for report in reports] == [(1, 0, 0), (0, 0, 1)]
    assert Article.objects.get().source == first


def test_odd_characters_are_gone_before_either_database_sees_them(source_of: SourceOf) -> None:
    odd = "\u202eПорт\u202c \u200bзак\u2066рыт\ufeff&#0;&#xD800;"
    entry = f"<item><title>{odd}</title><link>https://a.example/odd</link><description>{odd}</description></item>"

    ingest([source_of(f'<rss version="2.0"><channel>{entry}</channel></rss>'.encode())])

    article = Article.objects.get()
    assert (article.title, article.lead) == ("Порт закрыт", "Порт закрыт")


# --- the next step ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "settings", "status", "is_due"),
    [
        (story(1, 900), {}, "ready", True),
        (story(1, 900), {"auto_summarise": False}, "stored", False),
        ("", {}, "new", True),
        ("", {"fetch_full_text": False}, "ready", True),
        ("", {"fetch_full_text": False, "auto_summarise": False}, "stored", False),
    ],
)
def test_the_next_step_is_the_page_the_summary_or_none(
    source_of: SourceOf, text: str, settings: dict[str, bool], status: str, is_due: bool
) -> None:
    ingest([source_of(rss([Item(text=text)]), source=settings)])

    article = Article.objects.get()
    assert (article.status, article in Article.objects.due()) == (status, is_due)


def test_an_entry_without_a_page_is_ready_with_what_it_has(source_of: SourceOf) -> None:
    ingest([source_of(rss([Item(link="")]))])

    article = Article.objects.get()
    assert (article.status, article.content) == ("ready", "Об этом сообщила пресс-служба предприятия.")
    assert article.url == "https://news.example/"


def test_a_mere_title_without_a_page_is_stored(source_of: SourceOf) -> None:
    ingest([source_of(rss([Item(link="", lead="")]))])

    assert (Article.objects.get().status, Article.objects.get().next_step_at) == ("stored", None)


def test_nothing_is_offered_to_channels(source_of: SourceOf) -> None:
    ingest([source_of(rss(items(5)), source={"auto_queue": True})])

    assert not Article.objects.ready_to_publish()


# --- a source's health ------------------------------------------------------------------------------------------------


def test_a_success_is_written_down(source_of: SourceOf) -> None:
    source = source_of(
        rss(items(2)),
        etag='"1"',
        last_modified="Sun, 22 Nov 2026 10:00:00 GMT",
        source={"consecutive_failures": 3, "last_error": "old", "interval_minutes": 30},
    )

    ingest([source])

    source = again(source)
    assert (source.etag, source.last_modified) == ('"1"', "Sun, 22 Nov 2026 10:00:00 GMT")
    assert (source.consecutive_failures, source.last_error, source.entry_count) == (0, "", 2)
    assert source.last_success_at is not None
    assert source.next_fetch_at == source.last_success_at + timedelta(minutes=30)


def test_a_failure_costs_only_its_source_which_backs_off(source_of: SourceOf) -> None:
    good, bad = source_of(rss(items(2))), source_of(b"", status=500, source={"consecutive_failures": 1})

    with translation.override("en"):
        report = ingest([bad, good])

    bad = again(bad)
    assert str(report) == "sources=2 new=2 updated=0 unchanged=0 failed=1"
    assert (bad.consecutive_failures, bad.last_error) == (2, report.failures[bad.slug])
    assert bad.last_fetched_at is not None
    assert bad.next_fetch_at == bad.last_fetched_at + bad.backoff(2)


def test_what_is_no_feed_is_a_failure(source_of: SourceOf) -> None:
    report = ingest([source_of(b"<html><body>404</body></html>")])

    assert len(report.failures) == 1


def test_retry_after_is_obeyed_if_it_is_longer_than_the_backoff(source_of: SourceOf) -> None:
    source = source_of(b"", status=429, headers={"Retry-After": "36000"})

    ingest([source])

    assert again(source).next_fetch_at > timezone.now() + timedelta(hours=9)


@pytest.mark.parametrize("field", ["encoding", "time_zone"])
def test_a_corrected_source_is_read_anew_although_its_feed_has_not_changed(
    source_of: SourceOf, server: FeedServer, field: str
) -> None:
    source = source_of(rss(items(2)), etag='"1"')
    ingest([source])
    Source.objects.update(**{field: {"encoding": "utf-8", "time_zone": "Asia/Omsk"}[field]})

    ingest([again(source)])

    assert [request.status for request in server.requests] == [200, 200]


def test_requests_are_counted(source_of: SourceOf) -> None:
    ingest([source_of(rss(items(1))), source_of(rss(items(1)))])

    assert sum(SessionStatsDaily.objects.values_list("http_requests", flat=True)) >= 2


# --- one source -------------------------------------------------------------------------------------------------------


def test_fetch_source_takes_only_what_is_due(source_of: SourceOf, server: FeedServer) -> None:
    source = source_of(rss(items(1)))

    outcomes = [fetch_source(source.pk), fetch_source(source.pk)]

    assert (outcomes, len(server.requests)) == ([True, False], 1)


@pytest.mark.parametrize("fields", [{"is_active": False}, {"kind": "site"}])
def test_fetch_source_leaves_what_is_not_watched_and_what_is_no_feed(
    source_of: SourceOf, server: FeedServer, fields: dict[str, Any]
) -> None:
    assert not fetch_source(source_of(rss(items(1)), source=fields).pk)
    assert not server.requests


def test_fetch_source_says_if_it_failed(source_of: SourceOf) -> None:
    assert not fetch_source(source_of(b"", status=500).pk)
