"""feeds: any feed's bytes become the same clean entries."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.entries import Entry
from articles.feeds import MAX_ENTRIES, Feed, NotAFeed, UnknownTimeZone, parse
from tests.fakes.feeds import NOON, Channel, Item, atom, rdf, rss, story

URL = "https://news.example/rss/"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FULL = story(7, 900)


def read(body: bytes, **circumstances: Any) -> Feed:
    return parse(body, **{"url": URL, "now": NOW, "time_zone": "Europe/Moscow", **circumstances})


def entry_of(item: Item, write: Callable[..., bytes] = rss) -> Entry:
    return read(write([item])).entries[0]


@pytest.mark.parametrize("write", [rss, atom, rdf])
@pytest.mark.parametrize("encoding", ["utf-8", "windows-1251", "koi8-r"])
def test_each_format_and_encoding_gives_the_same_entry(write: Callable[..., bytes], encoding: str) -> None:
    entry = read(write([Item(topic="Порт")], encoding=encoding)).entries[0]

    assert entry.title == "Порт увеличил перевалку угля"
    assert entry.lead == "Об этом сообщила пресс-служба предприятия."
    assert (entry.topic, entry.language) == ("Порт", "ru")
    assert (entry.page_url, entry.canonical_link) == ("https://news.example/1", "https://news.example/1")
    assert entry.published is not None
    assert (entry.published.at, entry.published.precision) == (NOON, "minute")


@pytest.mark.parametrize(
    ("version", "head"),
    [
        ("0.91", '<rss version="0.91"><channel>'),
        ("0.92", '<rss version="0.92"><channel>'),
        ("2.0", '<rss version="2.0"><channel>'),
        ("none", "<rss><channel>"),
    ],
)
def test_every_rss_is_read(version: str, head: str) -> None:
    item = "<item><title>Порт</title><link>https://news.example/1</link></item></channel></rss>"

    feed = read(f"{head}<title>{version}</title>{item}".encode())

    assert (feed.title, [entry.title for entry in feed.entries]) == (version, ["Порт"])


def test_rss_0_90_is_read() -> None:
    document = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://my.netscape.com/rdf/simple/0.9/">'
        "<channel><title>Порт</title></channel><item><title>Уголь</title><link>https://news.example/1</link></item></rdf:RDF>"
    )

    assert [entry.title for entry in read(document.encode()).entries] == ["Уголь"]


def test_the_encoding_of_a_person_goes_before_the_headers() -> None:
    body = rss([Item()], encoding="koi8-r", declared="")

    feed = read(body, encoding="koi8-r", content_type="text/xml; charset=windows-1251")

    assert feed.entries[0].title == "Порт увеличил перевалку угля"


def test_relative_links_are_resolved_against_the_feed() -> None:
    entry = entry_of(Item(link="/news/view/1/", image="pictures/1.jpg"))

    assert entry.page_url == "https://news.example/news/view/1/"
    assert entry.image_url == "https://news.example/rss/pictures/1.jpg"


def test_a_scheme_in_capitals_is_one() -> None:
    assert entry_of(Item(link="HTTPS://news.example/1")).canonical_link == "https://news.example/1"


def test_a_base_in_the_document_goes_before_the_feeds_address() -> None:
    body = atom([Item(link="1")]).replace(b"<feed ", b'<feed xml:base="https://other.example/a/" ')

    assert read(body).entries[0].page_url == "https://other.example/a/1"


def test_a_permalink_stands_for_a_missing_link() -> None:
    body = rss([Item(link="")]).replace(b"<item>", b"<item><guid>https://news.example/7</guid>")

    assert read(body).entries[0].page_url == "https://news.example/7"


def test_an_entry_without_a_page_gets_a_stable_key_of_feed_and_id() -> None:
    first, later = entry_of(Item(link="", guid="17")), entry_of(Item(link="", guid="17", title="Другое"))
    other = entry_of(Item(link="", guid="18"))

    assert first.page_url == ""
    assert first.canonical_link.startswith("https://news.example/rss#entry-")
    assert first.canonical_link == later.canonical_link != other.canonical_link


def test_entries_that_all_lead_to_the_front_page_stay_apart() -> None:
    items = [Item(link="https://news.example", guid=guid, title=guid) for guid in ("17", "18")]

    assert [entry.title for entry in read(rss(items)).entries] == ["17", "18"]


def test_a_number_as_guid_is_no_link() -> None:
    body = rss([Item(link="")]).replace(b"<item>", b"<item><guid>17</guid>")

    assert read(body).entries[0].page_url == ""


@pytest.mark.parametrize("link", ["javascript:alert(1)", "mailto:a@news.example", "file:///etc/passwd", "https://"])
def test_a_link_that_leads_nowhere_is_none(link: str) -> None:
    assert entry_of(Item(link=link)).page_url == ""


def test_trackers_do_not_make_another_article() -> None:
    feed = read(
        rss([Item(link="https://news.example/1?utm_source=rss"), Item(link="https://news.example/1/", title="Б")])
    )

    assert [(entry.canonical_link, entry.title) for entry in feed.entries] == [
        ("https://news.example/1", "Порт увеличил перевалку угля")
    ]


@pytest.mark.parametrize(
    ("date", "precision"),
    [
        ("", None),
        ("вчера", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("2027-06-01T10:00:00Z", None),
        ("2026-11-20", "day"),
        ("Fri, 20 Nov 2026 10:00:00", "minute"),
    ],
)
def test_a_date_is_known_to_the_minute_the_day_or_not_at_all(date: str, precision: str | None) -> None:
    published = entry_of(Item(date=date)).published

    assert (published and published.precision) == precision


def test_a_date_without_a_zone_is_in_the_zone_of_the_source() -> None:
    body = rss([Item(date="Fri, 20 Nov 2026 10:00:00")])

    moscow, vladivostok = (
        read(body, time_zone=zone).entries[0].published for zone in ("Europe/Moscow", "Asia/Vladivostok")
    )

    assert moscow is not None
    assert vladivostok is not None
    assert moscow.at - vladivostok.at == timedelta(hours=7)


@pytest.mark.parametrize("zone", ["Mars/Phobos", "", "../../etc/passwd", "Europe"])
def test_an_unknown_zone_is_told(zone: str) -> None:
    with pytest.raises(UnknownTimeZone):
        read(rss([Item()]), time_zone=zone)


def test_content_is_the_text_and_description_the_lead() -> None:
    entry = entry_of(Item(lead="Коротко.", text=FULL))

    assert entry.lead == "Коротко."
    assert entry.text.split("\n\n")[-1] == "Архив за день № 7"
    assert "<" not in entry.text
    assert entry.is_complete


@pytest.mark.parametrize("write", [rss, atom])
def test_a_short_full_text_is_complete_if_the_feed_calls_it_that(write: Callable[..., bytes]) -> None:
    flash = "Движение по мосту закрыто до вечера из-за ветра. " * 5

    assert entry_of(Item(lead="Мост закрыт.", text=f"<p>{flash}</p>"), write).is_complete


def test_yandex_full_text_is_the_text() -> None:
    full = "Порт увеличил перевалку. " * 20

    entry = entry_of(Item(extra=f"<yandex:full-text>{full}</yandex:full-text>"))

    assert (entry.text, entry.is_complete) == (full.strip(), True)


@pytest.mark.parametrize("ending", ["…", "...", "[...]", "Читать далее", "Подробнее »"])
def test_a_text_that_is_cut_off_is_not_complete(ending: str) -> None:
    assert not entry_of(Item(text=f"<p>{'Порт увеличил перевалку угля. ' * 40}{ending}</p>")).is_complete


def test_a_lead_alone_is_not_complete() -> None:
    entry = entry_of(Item(lead="Порт увеличил перевалку. " * 4))

    assert (entry.text, entry.is_complete) == (entry.lead, False)


def test_a_long_description_is_the_text_and_its_first_paragraph_the_lead() -> None:
    entry = entry_of(Item(lead=f"<p>Начало.</p><p>{'Порт увеличил перевалку. ' * 40}</p>"))

    assert (entry.lead, entry.is_complete) == ("Начало.", True)


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("AT&T и порт", "AT&T и порт"),
        ("AT&amp;T и <b>порт</b>", "AT&T и порт"),
        ("  Порт\n растёт \u200d", "Порт растёт"),
        ("\u202eПорт\u202c", "Порт"),
        ("5 < 6", "5 < 6"),
    ],
)
def test_titles_are_one_clean_line(written: str, title: str) -> None:
    assert entry_of(Item(title=written)).title == title


def test_an_entry_without_a_title_is_called_by_its_beginning() -> None:
    assert entry_of(Item(title="", lead="Порт закрыт. " * 30)).title.startswith("Порт закрыт. Порт закрыт.")


def test_an_entry_with_nothing_in_it_is_left_out() -> None:
    assert read(rss([Item(link="", title="", lead=""), Item()])).entries == (entry_of(Item()),)


@pytest.mark.parametrize(
    "item",
    [
        Item(image="https://news.example/1.jpg"),
        Item(extra='<media:content url="https://news.example/1.jpg" medium="image"/>'),
        Item(extra='<media:content url="https://news.example/1.jpg" type="image/png"/>'),
        Item(extra='<media:thumbnail url="https://news.example/1.jpg"/>'),
        Item(text='<p>a</p><img src="/1.jpg">'),
    ],
)
def test_the_picture_is_found(item: Item) -> None:
    assert entry_of(item).image_url == "https://news.example/1.jpg"


def test_a_film_is_no_picture() -> None:
    assert entry_of(Item(extra='<media:content url="https://news.example/1.mp4" type="video/mp4"/>')).image_url == ""


@pytest.mark.parametrize(
    "extra",
    ["<dc:source>https://agency.example/9</dc:source>", '<source url="https://agency.example/9">Агентство</source>'],
)
def test_the_original_source_is_kept(extra: str) -> None:
    assert entry_of(Item(extra=extra)).original_url == "https://agency.example/9"


@pytest.mark.parametrize(
    ("title", "declared", "language"),
    [
        ("Порт растёт", "en-US", "ru"),
        ("Порт росте", "uk", "uk"),
        ("The port grows", "ru", "en"),
        ("Der Hafen", "de-DE", "de"),
    ],
)
def test_the_language_is_told_from_the_script(title: str, declared: str, language: str) -> None:
    body = rss([Item(title=title, lead="")], channel=Channel(language=declared))

    assert read(body).entries[0].language == language


def test_the_hash_of_an_entry_is_stable_and_changes_with_what_is_said() -> None:
    same = {
        entry_of(Item()).entry_hash,
        read(rss([Item()], encoding="koi8-r"), now=NOW + timedelta(1)).entries[0].entry_hash,
    }
    changed = [
        Item(title="Б"),
        Item(lead="Б"),
        Item(text=FULL),
        Item(date="2026-11-21"),
        Item(topic="Б"),
        Item(image="/b.jpg"),
    ]

    hashes = {entry_of(item).entry_hash for item in changed}

    assert len(same) == 1
    assert len(hashes) == len(changed)
    assert not same & hashes


@pytest.mark.parametrize(
    "damage", ["\x00", "\x0b", "&#0;", "&#xD800;", "&#x110000;", "&#99999999999;", "&nbsp;", "&bogus;"]
)
def test_what_xml_forbids_does_not_cost_the_entry(damage: str) -> None:
    body = rss([Item(title="ТИТУЛ")]).replace("ТИТУЛ".encode(), f"Порт{damage} растёт".encode())

    assert read(body).entries[0].title.replace("&bogus;", "") == "Порт растёт"


def test_a_feed_that_breaks_off_gives_what_came() -> None:
    body = rss([Item(link=f"https://news.example/{number}") for number in range(5)])

    assert len(read(body[: len(body) * 3 // 4]).entries) >= 3


def test_a_feed_without_entries_is_a_feed() -> None:
    assert read(rss([])).entries == ()


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"<html><body><p>404</p></body></html>", b"{}", b"\x00\xff" * 50, b"%PDF-1.4"]
)
def test_what_is_no_feed_is_told(body: bytes) -> None:
    with pytest.raises(NotAFeed):
        read(body)


def test_entities_do_not_explode() -> None:
    lots = "".join(f'<!ENTITY e{n} "&e{n - 1};&e{n - 1};&e{n - 1};&e{n - 1};">' for n in range(1, 30))
    body = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY e0 "lol">{lots}]>' + rss([Item(title="&e29;")]).decode()[38:]

    assert all(len(entry.title) < 2000 for entry in read(body.encode()).entries)


def test_the_number_of_entries_is_bounded() -> None:
    items = [Item(link=f"https://news.example/{number}", lead="") for number in range(MAX_ENTRIES + 5)]

    assert len(read(rss(items)).entries) == MAX_ENTRIES


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=30), st.text(max_size=60))
def test_no_text_breaks_the_reader(title: str, text: str, date: str, link: str) -> None:
    body = (
        rss([Item(title=title, text=text, date=date, link=link)], channel=Channel()).decode("utf-8", "replace").encode()
    )

    try:
        entries = read(body).entries
    except NotAFeed:
        return

    assert all(0 < len(entry.title) <= 1000 and entry.canonical_link for entry in entries)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    with pytest.raises(NotAFeed):
        read(body)


def test_the_reader_needs_no_django() -> None:
    code = "import sys, articles.parsing; sys.exit('django' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
