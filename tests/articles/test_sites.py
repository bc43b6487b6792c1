"""Sites: their pages become entries by selectors, a live run loses nothing, and somebody is told when selectors rot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone, translation

from articles import catching_up, robots
from articles.completion import complete_article
from articles.ingest import ingest
from articles.models import Article, BackfillRun, Source
from articles.sites import pages, selectors
from articles.sites.pages import Circumstances
from articles.sites.presets import WARANDPEACE, of_address
from articles.sites.selectors import Mistaken, Place
from tests.factories import SourceFactory
from tests.fakes.feed_server import FeedServer
from tests.fakes.feeds import Item, rss
from tests.fakes.site_server import MOSCOW, News, Site, news, site_server
from usage.models import Alert

AROUND = Circumstances("https://a.example/news/", ZoneInfo("Europe/Moscow"), datetime(2026, 11, 22, tzinfo=UTC))
READY = selectors.read(WARANDPEACE.selectors)
NOON = datetime(2024, 5, 20, 12, tzinfo=MOSCOW)


def latest(count: int, *, first: int = 1) -> list[News]:
    """So many articles, one every ten minutes, the last one at noon of the twentieth."""
    return [news(first + place, NOON + timedelta(minutes=10 * (first + place))) for place in range(count)]


@pytest.fixture
def site() -> Iterator[Site]:
    with site_server(latest(15)) as running:
        yield running


@pytest.fixture
def source(site: Site, db: None) -> Source:
    made: Source = SourceFactory(**site.source())
    return made


def again(source: Source) -> Source:
    return Source.objects.get(pk=source.pk)


# --- selectors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("td.title a", Place("td.title a")),
        ("time @datetime", Place("time", "datetime")),
        (" @href ", Place("", "href")),
        ("", Place()),
    ],
)
def test_a_place_is_a_selector_and_perhaps_an_attribute(written: str, place: Place) -> None:
    assert Place.read(written) == place


@pytest.mark.parametrize(
    ("described", "where"),
    [
        ({"list": {"item": "td[", "link": "a"}}, "list.item"),
        ({"list": {"item": "table[border=0]", "link": "a"}}, "list.item"),
        ({"list": {"link": "a"}}, "list.item"),
        ({"list": {"item": "p"}}, "list.link"),
        ({"list": {"itme": "p"}}, "list.itme"),
        ({"lits": {}}, "lits"),
        ({"list": "p"}, "list"),
        ({"list": {"item": 5, "link": "a"}}, "list.item"),
        ({"article": {"text": "p" * 501}}, "article.text"),
        ({"archive": {"address": "https://a.example/{day}/"}}, "archive.item"),
        ({"archive": {"item": "p", "address": "https://a.example/"}}, "archive.address"),
        ({"archive": {"item": "p", "address": "ftp://a.example/{day}"}}, "archive.address"),
        ({"archive": {"item": "p", "address": "https://a.example/{day.__class__}"}}, "archive.address"),
        ({"archive": {"day_format": "%d"}}, "archive.day_format"),
        ({"date_formats": ["%Q"]}, "date_formats"),
        ({"date_formats": "%d.%m.%Y"}, "date_formats"),
        ([], "selectors"),
    ],
)
def test_a_mistake_says_where_what_and_how(described: Any, where: str) -> None:
    with pytest.raises(Mistaken) as raised, translation.override("en"):
        selectors.read(described)

    mistake = raised.value.mistakes[0]
    assert mistake.where == where
    assert mistake.what.endswith(".")
    assert mistake.how.endswith(".")


def test_a_source_with_wrong_selectors_is_not_valid() -> None:
    with pytest.raises(ValidationError, match=r"list\.item"):
        Source(selectors={"list": {"item": "td[", "link": "a"}}).clean()


def test_the_archive_is_as_the_list_where_it_says_nothing() -> None:
    assert READY.archive.lead == READY.list.lead
    assert READY.archive.address != READY.list.address


@pytest.mark.parametrize("url", ["https://www.warandpeace.ru/ru/news/", "http://pda.warandpeace.ru/"])
def test_a_site_that_comes_ready_is_known_by_its_address(url: str) -> None:
    assert of_address(url) == WARANDPEACE
    assert of_address("https://warandpeace.ru.evil.example/") is None


# --- pages ------------------------------------------------------------------------------------------------------------


def test_a_list_is_read_to_its_last_detail(site: Site) -> None:
    listing = pages.read_list(site.answer("/ru/news/")[1], READY.list, replace(AROUND, url=f"{site.url}/ru/news/"))

    first = listing.entries[0]
    assert (len(listing.entries), listing.pages) == (15, 1)
    assert (first.title, first.lead) == (site.news[-1].title, site.news[-1].lead)
    assert first.published is not None
    assert (first.published.at, first.published.precision) == (site.news[-1].published, "minute")
    assert (first.topic, first.original_url) == ("Железная дорога", "https://agency.example/15?in=l")
    assert first.page_url == f"{site.url}/ru/news/view/15/"


def test_decoys_and_frames_are_no_articles() -> None:
    page = """<table class=item><tr><td><a class=t href=/frame>Рамка</a>
    <table class=item><tr><td><a class=t href=/1>Первая\u200d </a></td></tr></table>
    <table class=item><tr><td><a class=t href=/1>Она же</a></td></tr></table>
    <table class=item><tr><td><a class=t href="javascript:x()">Кнопка</a></td></tr></table>
    <table class=item><tr><td><a class=t href=/news/>Все новости</a></td></tr></table></td></tr></table>
    <a class=t href=/decoy>Сюжет дня</a>"""
    found = selectors.read({"list": {"item": "table.item", "link": "a.t"}})

    entries = pages.read_list(page, found.list, AROUND).entries

    assert [(entry.page_url, entry.title) for entry in entries] == [("https://a.example/1", "Первая")]


@pytest.mark.parametrize(
    ("stated", "formats", "expected", "precision"),
    [
        ("04.08.25 16:26", (), datetime(2025, 8, 4, 13, 26, tzinfo=UTC), "minute"),
        ("04.08.2025", (), datetime(2025, 8, 3, 21, tzinfo=UTC), "day"),
        ("4 августа 2025, 16:26", ("%d %b %Y, %H:%M",), datetime(2025, 8, 4, 13, 26, tzinfo=UTC), "minute"),
        ("2025/08/04", ("%Y/%m/%d",), datetime(2025, 8, 3, 21, tzinfo=UTC), "day"),
    ],
)
def test_dates_are_read_as_the_site_writes_them(
    stated: str, formats: tuple[str, ...], expected: datetime, precision: str
) -> None:
    found = selectors.read({"list": {"item": "p", "link": "a", "date": "i"}})
    page = f"<p><a href=/1>Новость</a><i>{stated}</i></p>"

    entry = pages.read_list(page, found.list, replace(AROUND, date_formats=formats)).entries[0]

    assert entry.published is not None
    assert (entry.published.at, entry.published.precision) == (expected, precision)


def test_an_articles_text_is_read_without_its_scripts_and_title(site: Site) -> None:
    found = pages.read_article(site.answer("/ru/news/view/7/")[1], READY.article, AROUND)

    assert found.text.endswith("\n\nВыпуск 7.")
    assert "count(" not in found.text
    assert site.news[6].title not in found.text


def test_several_topics_stand_with_semicolons_between_them() -> None:
    found = selectors.read({"list": {"item": "p", "link": "a", "topic": "i"}})

    entries = pages.read_list(
        "<p><a href=/1>Новость</a><i>Порт</i><i>Погода</i><i>Порт</i></p>", found.list, AROUND
    ).entries

    assert entries[0].topic == "Порт; Погода"


def test_no_page_breaks_the_reader() -> None:
    for page in ("", "\x00", "<" * 5000, "<table>" * 5000, "<base href='http://[::1'>" + "<a class=t href='//['>x</a>"):
        assert pages.read_list(page, READY.list, AROUND).entries == ()
        assert pages.read_article(page, READY.article, AROUND).text == ""


# --- a live run -------------------------------------------------------------------------------------------------------


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


# --- moving -----------------------------------------------------------------------------------------------------------


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


# --- entries that change ----------------------------------------------------------------------------------------------


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


def test_old_news_with_todays_date_stays_old(server: FeedServer, db: None) -> None:
    published = timezone.now() - timedelta(days=30)
    source = SourceFactory(url=server.serve("/feed", rss([Item(published=published)])))
    ingest([source])
    server.serve("/feed", rss([Item(published=timezone.now())]))

    ingest([again(source)])

    assert Article.objects.get().published_at == published.replace(microsecond=0)


# --- robots.txt -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "path", "is_open"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow: /a", "/a/b", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf", False),
        ("User-agent: WarAndPeace\nDisallow: /\n\nUser-agent: *\nAllow: /", "/a", False),
        ("\x00\xff<html>", "/a", True),
    ],
)
def test_robots_txt_opens_and_shuts(server: FeedServer, rules: str, path: str, is_open: bool) -> None:
    server.serve("/robots.txt", rules.encode())
    results = []

    try:
        robots.check(server.url(path))
        results.append(True)
    except robots.Disallowed:
        results.append(False)

    assert results == [is_open]


def test_robots_txt_is_asked_for_once_a_day(server: FeedServer) -> None:
    for path in ("/a", "/b", "/c"):
        robots.check(server.url(path))

    assert [request.path for request in server.requests] == ["/robots.txt"]
