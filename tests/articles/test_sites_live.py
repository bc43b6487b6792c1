"""A live run of a site loses nothing after an outage, and somebody is told when selectors rot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from articles import catching_up
from articles.completion import complete_article
from articles.ingest import ingest
from articles.models import Article, BackfillRun, Source
from tests.articles.changing import again, latest
from tests.factories import SourceFactory
from tests.fakes.feed_server import FeedServer
from tests.fakes.feeds import Item, rss
from tests.fakes.site_server import Site, site_server
from usage.models import Alert


@pytest.fixture
def site() -> Iterator[Site]:
    with site_server(latest(15)) as running:
        yield running


@pytest.fixture
def source(site: Site, db: None) -> Source:
    made: Source = SourceFactory(**site.source())
    return made


# --- catching up ------------------------------------------------------------------------------------------------------


def test_a_site_is_fetched_like_a_feed(source: Source, site: Site) -> None:
    report = ingest([source])
    second = ingest([again(source)])

    assert (str(report), site.count("page=")) == ("sources=1 new=15 updated=0 unchanged=0 failed=0", 0)
    assert str(second) == "sources=1 new=0 updated=0 unchanged=15 failed=0"
    assert set(Article.objects.values_list("status", flat=True)) == {"new"}


def test_the_text_comes_from_where_the_selectors_say(source: Source) -> None:
    ingest([source])
    article = Article.objects.get(url__endswith="/view/7/")

    complete_article(article.pk)

    article.refresh_from_db()
    assert article.content.endswith("\n\nВыпуск 7.")


@pytest.mark.parametrize("missed", [16, 44, 45, 60])
def test_after_an_outage_pages_are_followed_to_what_is_known(source: Source, site: Site, missed: int) -> None:
    ingest([source])
    site.news += latest(missed, first=16)

    report = ingest([again(source)])

    assert (report.new, Article.objects.count()) == (missed, 15 + missed)
    assert site.count("page=") == -(-(missed + 1) // 15) - 1


def test_what_a_broken_page_hides_is_left_to_the_archive(source: Source, site: Site) -> None:
    ingest([source])
    site.news += latest(60, first=16)
    site.failures["/ru/news/_/_/page=3/"] = [500]

    ingest([again(source)])

    run = BackfillRun.objects.get()
    assert (Article.objects.count(), run.origin, run.date_from) == (45, "catch-up", date(2024, 5, 20))
    assert BackfillRun.objects.due().get() == run


def test_an_endless_list_is_not_followed_without_end(
    source: Source, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "MOST_PAGES", 3)
    ingest([source])
    site.news += latest(100, first=16)

    ingest([again(source)])

    assert (Article.objects.count(), BackfillRun.objects.count()) == (15 + 45, 1)


def test_a_feed_with_pages_is_followed_too(server: FeedServer, db: None) -> None:
    old, late = Item(link="https://a.example/1"), [Item(link=f"https://a.example/{n}", title=f"№ {n}") for n in (2, 3)]
    source = SourceFactory(url=server.serve("/feed", rss([old])))
    ingest([source])
    older = f'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="next" href="{server.url("/2")}"/>'
    server.serve("/feed", rss([late[1]]).replace(b"<item>", older.encode() + b"<item>", 1))
    server.serve("/2", rss([late[0], old]))

    report = ingest([again(source)])

    assert (report.new, Article.objects.count()) == (2, 3)


# --- selectors rot ----------------------------------------------------------------------------------------------------


def test_a_page_that_yields_nothing_is_a_failure_and_an_alert(source: Source, site: Site) -> None:
    ingest([source])
    site.css = "redesigned"

    report = ingest([again(source)])

    alert = Alert.objects.get(code="selectors")
    assert (len(report.failures), alert.subject, alert.resolved_at) == (1, "warandpeace", None)
    assert again(source).consecutive_failures == 1


def test_half_of_what_it_used_to_be_is_an_alert_until_it_is_back(source: Source, site: Site) -> None:
    ingest([source])
    everything, site.news = site.news, site.news[:7]
    states = []

    for shown in (everything[:7], everything[:6], everything):
        site.news = shown
        ingest([again(source)])
        states.append(Alert.objects.get(code="selectors").resolved_at is None)

    assert states == [True, True, False]
    assert again(source).usual_yield["entries"] == 15


def test_lost_leads_are_an_alert_although_the_articles_are_there(source: Source, site: Site) -> None:
    ingest([source])
    site.news = [replace(each, lead="") for each in site.news]

    ingest([again(source)])

    assert Alert.objects.filter(code="selectors", resolved_at=None).exists()


def test_article_pages_without_their_text_are_an_alert(source: Source, site: Site) -> None:
    ingest([source])
    site.text_css = "redesigned"

    for pk in list(Article.objects.values_list("pk", flat=True)[:3]):
        complete_article(pk)

    assert Alert.objects.get(code="selectors").subject == "warandpeace/article"
