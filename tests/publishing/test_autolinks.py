"""Hashtags and what else Telegram makes links of, judged by Telegram's own library."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publishing.autolinks import MOST_HASHTAGS, found, hashtag, hashtags
from tests.publishing.tdlib import td, utf16

KINDS = {"textEntityTypeHashtag": "hashtag", "textEntityTypeMention": "mention", "textEntityTypeUrl": "url"}


def telegram_finds(text: str) -> list[tuple[str, str]]:
    """The hashtags, mentions and addresses that Telegram's own library finds."""
    entities = td("getTextEntities", text=text)["entities"]
    return [
        (KINDS[entity["type"]["@type"]], utf16(text, entity["offset"], entity["length"]))
        for entity in entities
        if entity["type"]["@type"] in KINDS
    ]


def we_find(text: str) -> list[tuple[str, str]]:
    return [(mark.kind, text[mark.start : mark.end]) for mark in sorted(found(text), key=lambda mark: mark.start)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("порт", "#порт"),
        ("ключевая ставка", "#ключевая_ставка"),
        ("COVID-19", "#COVID_19"),
        ("#уже с решёткой", "#уже_с_решёткой"),
        ("  США — Китай  ", "#США_Китай"),
        ("2026", ""),
        ("!?", ""),
        ("", ""),
    ],
)
def test_a_name_becomes_one_hashtag(name: str, expected: str) -> None:
    assert hashtag(name) == expected


def test_equal_names_make_one_hashtag_and_numbers_none() -> None:
    assert hashtags(["Порт", "порт", "2026", "уголь"]) == "#порт #уголь"


def test_there_are_never_more_than_a_few() -> None:
    assert len(hashtags(f"тег{number}" for number in range(100)).split()) == MOST_HASHTAGS


@given(st.lists(st.text(max_size=30) | st.text(alphabet="абвyz 09_-#", max_size=300), max_size=5))
def test_telegram_reads_each_hashtag_as_one(names: list[str]) -> None:
    made = hashtags(names)

    assert [text for _kind, text in telegram_finds(made)] == made.split()


@pytest.mark.parametrize(
    "text",
    [
        "#порт и #уголь, а не а#б",
        "#2026 #2026год #_ #a_b",
        "@warandpeace и почта a@warandpeace.ru",
        "(@warandpeace)",
        "См. https://news.example.com/a?b=1. Или http://kremlin.ru/x, да",
        "t.me/warandpeace",
        "#раз#два #три",
        "нет ничего # @",
    ],
)
def test_the_preview_makes_the_links_that_telegram_makes(text: str) -> None:
    assert we_find(text) == telegram_finds(text)


@given(st.text(alphabet="#абz09_· ,.", max_size=40))
def test_the_preview_finds_the_hashtags_that_telegram_finds(text: str) -> None:
    assert [one for one in we_find(text) if one[0] == "hashtag"] == [
        one for one in telegram_finds(text) if one[0] == "hashtag"
    ]
