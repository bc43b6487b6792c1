"""A feed that moves, or gives its entries other addresses and dates, does no harm."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from articles import completion
from articles.ingest import ingest
from articles.models import Article, Source
from tests.articles.changing import again
from tests.factories import SourceFactory
from tests.fakes.feed_server import FeedServer
from tests.fakes.feeds import Item, rss

SourceOf = Callable[..., Source]


def page(text: str) -> bytes:
    return f"<html><body><article><h1>Порт</h1><p>{text}</p></article></body></html>".encode()


# --- the feed ---------------------------------------------------------------------------------------------------------


def test_a_permanent_move_is_believed_after_several_confirmations(server: FeedServer, db: None) -> None:
    new = server.serve("/new", rss([Item()]))
    old = server.serve("/old", status=301, headers={"Location": new})
    source = SourceFactory(url=old)
    addresses = []

    for _fetch in range(5):
        ingest([again(source)])
        addresses.append(again(source).url)

    assert addresses == [old] * 4 + [new]


@pytest.mark.parametrize("status", [302, 307])
def test_a_temporary_move_is_never_believed(server: FeedServer, db: None, status: int) -> None:
    old = server.serve("/old", status=status, headers={"Location": server.serve("/new", rss([Item()]))})
    source = SourceFactory(url=old)

    for _fetch in range(6):
        ingest([again(source)])

    assert (again(source).url, again(source).moved_count) == (old, 0)


def test_a_move_that_is_taken_back_is_forgotten(server: FeedServer, db: None) -> None:
    new = server.serve("/new", rss([Item()]))
    source = SourceFactory(url=server.serve("/old", status=301, headers={"Location": new}))
    ingest([source])

    server.serve("/old", rss([Item(), Item(link="https://a.example/2")]))
    ingest([again(source)])

    assert (again(source).moved_to, again(source).moved_count) == ("", 0)


# --- its entries ------------------------------------------------------------------------------------------------------


def test_entries_under_new_addresses_are_no_new_articles(server: FeedServer, db: None) -> None:
    def feed(session: int) -> bytes:
        return rss([Item(link=f"https://a.example/{n}?sid={session}", title=f"Новость {n}") for n in range(30)])

    source = SourceFactory(url=server.serve("/feed", feed(1)))
    ingest([source])

    for session in range(2, 5):
        server.serve("/feed", feed(session))
        ingest([again(source)])

    assert Article.objects.count() == 30


def test_news_of_the_same_title_with_other_words_is_news(server: FeedServer, db: None) -> None:
    source = SourceFactory(url=server.serve("/feed", rss([Item(title="Курс рубля", lead="Вырос.")])))
    ingest([source])
    server.serve("/feed", rss([Item(link="https://a.example/2", title="Курс рубля", lead="Упал.")]))

    ingest([again(source)])

    assert Article.objects.count() == 2


def test_bare_titles_that_change_all_they_can_are_summarised_once(server: FeedServer, db: None) -> None:
    def feed(fetch: int) -> bytes:
        links = [server.serve(f"/{fetch}/{n}", page(f"Порт {n} увеличил перевалку. " * 20)) for n in range(3)]
        minutes = timedelta(minutes=10 - fetch)
        return rss([Item(link=link, lead="", published=timezone.now() - minutes) for link in links])

    source = SourceFactory(url=server.serve("/feed", feed(0)))
    for fetch in range(3):
        server.serve("/feed", feed(fetch))
        ingest([again(source)])
        for number in Article.objects.due().values_list("pk", flat=True):
            completion.complete_article(number)

    assert Article.objects.filter(status=Article.Status.READY).count() == 3
    assert Article.objects.filter(status=Article.Status.STORED).count() == 6


def test_of_two_bare_titles_the_one_that_is_read_first_is_summarised(server: FeedServer, db: None) -> None:
    links = [server.serve(f"/{n}", page("Порт увеличил перевалку. " * 20)) for n in range(2)]
    moments = [timezone.now() - timedelta(minutes=n) for n in range(2)]
    entries = [Item(link=link, lead="", published=moment) for link, moment in zip(links, moments, strict=True)]
    ingest([SourceFactory(url=server.serve("/feed", rss(entries)))])

    for number in Article.objects.order_by("-pk").values_list("pk", flat=True):
        completion.complete_article(number)

    assert list(Article.objects.order_by("-pk").values_list("status", flat=True)) == ["ready", "stored"]


def test_old_news_with_todays_date_stays_old(server: FeedServer, db: None) -> None:
    published = timezone.now() - timedelta(days=30)
    source = SourceFactory(url=server.serve("/feed", rss([Item(published=published)])))
    ingest([source])
    server.serve("/feed", rss([Item(published=timezone.now())]))

    ingest([again(source)])

    assert Article.objects.get().published_at == published.replace(microsecond=0)


@pytest.mark.django_db
def test_a_feed_that_changes_its_addresses_brings_nothing_anew(source_of: SourceOf, server: FeedServer) -> None:
    source = source_of(rss([Item()]))
    ingest([source])
    head, item = rss([Item()]).split(b"<item>")
    body = head + b"<item>" + item.replace(b"://", b"://moved.")
    server.serve(source.url.removeprefix(server.url("")), body)

    ingest([Source.objects.get()])

    assert Article.objects.count() == 1
