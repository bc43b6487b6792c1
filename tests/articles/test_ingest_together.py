"""Ingesting beside other processes, and many sources at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from articles import storing
from articles.ingest import MANY_SOURCES, ingest, ingest_document
from articles.models import Article, Source
from articles.models.source import FETCH_LEASE
from tests.articles.changing import again
from tests.factories import ArticleFactory, SourceFactory
from tests.fakes.feed_server import FeedServer
from tests.fakes.feeds import Item, items, rss

pytestmark = pytest.mark.django_db

SourceOf = Callable[..., Source]


def test_a_source_that_another_process_took_since_is_left_to_it(source_of: SourceOf, server: FeedServer) -> None:
    source = source_of(rss(items(2)))
    Source.objects.update(next_fetch_at=timezone.now() + FETCH_LEASE)

    report = ingest([source])

    assert (report.sources, server.requests) == (0, [])


def test_an_outcome_is_not_written_over_a_newer_plan(source_of: SourceOf) -> None:
    quick, slow = source_of(b"", status=500), source_of(rss(items(2)), delay=0.5)
    plan = timezone.now() - timedelta(days=1)

    def plan_anew(done: Source, _reason: str) -> None:
        if done == quick:  # and the slow one is being fetched
            Source.objects.filter(pk=slow.pk).update(next_fetch_at=plan)

    report = ingest([quick, slow], on_source=plan_anew)

    assert (report.new, again(slow).next_fetch_at) == (2, plan)


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_store_the_same_feed_make_each_article_once(source_of: SourceOf) -> None:
    source = source_of(rss(items(30)))
    other = SourceFactory(url=source.url + "?2")
    body = rss(items(30))
    counts: list[int] = []

    def store(owner: Source) -> None:
        counts.append(ingest_document(owner, body).new)
        connection.close()

    threads = [threading.Thread(target=store, args=[owner]) for owner in (source, other, source, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (sum(counts), Article.objects.count(), len(counts)) == (30, 30, 4)


def test_an_article_that_appears_between_look_and_insert_is_seen(
    source_of: SourceOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_of(rss(items(3)))
    create = storing._create

    def late(*arguments: Any) -> int:
        monkeypatch.setattr(storing, "_create", create)
        ArticleFactory(canonical_link="https://news.example/news/view/2")
        return create(*arguments)

    monkeypatch.setattr(storing, "_create", late)

    report = ingest([source])

    assert (report.new, Article.objects.count()) == (3, 3)


def test_once_asked_to_stop_the_rest_is_given_back(source_of: SourceOf, server: FeedServer) -> None:
    sources = [source_of(rss([Item(link=f"https://news.example/{number}")])) for number in range(5)]
    answers = iter([False, False, True])

    report = ingest(sources, should_stop=lambda: next(answers))

    assert (report.sources, len(server.requests)) == (2, 2)
    assert Source.objects.due().count() == 3


def test_a_dry_run_tells_and_changes_nothing(source_of: SourceOf) -> None:
    source, bad = source_of(rss(items(3))), source_of(b"", status=500)
    before = list(Source.objects.values())

    report = ingest([source, bad], dry_run=True)

    assert str(report) == "sources=2 new=3 updated=0 unchanged=0 failed=1"
    assert not Article.objects.exists()
    assert list(Source.objects.values()) == before


def test_many_feeds_are_read_in_other_processes(source_of: SourceOf, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [source_of(rss(items(2, site=f"https://s{number}.example"))) for number in range(MANY_SOURCES)]
    sources.append(source_of(b"no feed"))
    monkeypatch.setattr("articles.feeds.Reader", None)  # in this process

    report = ingest(sources)

    assert (report.new, len(report.failures)) == (2 * MANY_SOURCES, 1)
