"""Sites: what stands on their pages becomes entries, by the selectors of the source's row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from articles.models import Source
from articles.sites import pages, selectors
from articles.sites.pages import Circumstances
from articles.sites.presets import WARANDPEACE, of_address
from articles.sites.selectors import Mistaken, Place
from tests.articles.changing import latest
from tests.fakes.site_server import Site, site_server

AROUND = Circumstances("https://a.example/news/", ZoneInfo("Europe/Moscow"), datetime(2026, 11, 22, tzinfo=UTC))
READY = selectors.read(WARANDPEACE.selectors)


@pytest.fixture
def site() -> Iterator[Site]:
    with site_server(latest(15)) as running:
        yield running


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
