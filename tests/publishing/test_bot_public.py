"""What everybody may ask the bot."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from articles import indexing
from publishing.models import Publication, Subscriber
from tests.factories import ArticleFactory
from tests.publishing.chat import STRANGER, Chat, chat_with_bot, published

pytestmark = pytest.mark.django_db

HOSTILE = "<b>Порт</b> & «уголь» </a> *x* _y_ [z](http://x)"


@pytest.fixture
def chat(settings: Settings) -> Iterator[Chat]:
    with chat_with_bot(settings) as opened:
        opened.person = STRANGER
        yield opened


def test_start_offers_a_stranger_what_is_public_and_nothing_else(chat: Chat) -> None:
    said = chat.write("/start")

    public = ["/start", "/latest", "/search", "/status", "/subscribe", "/unsubscribe", "/settings", "/delete_me"]
    assert [line.split()[0] for line in said.splitlines()[2:]] == public


def test_start_offers_an_administrator_everything(chat: Chat) -> None:
    chat.person = 7

    assert "/queue" in chat.write("/start")


@pytest.mark.parametrize("text", ["/queue", "/menu", "/healthcheck", "/debug_on", "/reissue", "/nonsense", "hello"])
def test_a_stranger_gets_no_answer_to_anything_else(chat: Chat, text: str) -> None:
    assert chat.write(text) == ""
    assert chat.api.calls == []


@pytest.mark.parametrize(("language", "first"), [("ru", "Это"), ("en", "This"), ("en-GB", "This"), ("de", "Это")])
def test_it_speaks_the_persons_language_or_the_newsrooms(chat: Chat, language: str, first: str) -> None:
    chat.language = language

    assert chat.write("/start").startswith(first)


def test_the_language_somebody_has_chosen_counts_more_than_their_telegrams(chat: Chat) -> None:
    Subscriber.objects.create(telegram_user_id=STRANGER, language="ru")

    assert chat.write("/start").startswith("Это")


def test_status_says_when_nothing_was_published(chat: Chat) -> None:
    assert chat.write("/status") == "Nothing has been published yet."


def test_status_counts_what_went_out_today(chat: Chat) -> None:
    published("Один")
    published("Два", state=Publication.State.DELETED)

    assert chat.write("/status").startswith("Published today: 1.")


def test_the_latest_are_links_and_nothing_in_a_title_is_taken_for_markup(chat: Chat) -> None:
    one = published(HOSTILE)

    chat.write("/latest")

    entities = json.loads(chat.newest["entities"])
    assert chat.newest["text"] == f"The latest\n\n{HOSTILE}"
    assert "parse_mode" not in chat.newest
    assert one.article is not None
    assert entities[1]["url"] == one.article.url


def test_a_stranger_finds_what_was_published_and_an_administrator_what_is_stored(chat: Chat) -> None:
    published("Перевалка угля выросла")
    ArticleFactory.create(title="Перевалка угля упала")
    indexing.catch_up()

    for_stranger = chat.write("/search перевалка угля")
    chat.person = 7

    assert "выросла" in for_stranger
    assert "упала" not in for_stranger
    assert "упала" in chat.write("/search перевалка угля")


def test_results_are_turned_over_page_by_page_in_one_message(chat: Chat) -> None:
    for number in range(7):
        published(f"Перевалка угля, выпуск {number}")
    indexing.catch_up()

    chat.write("/search перевалка")
    first = chat.newest["text"]
    chat.tap("More ›")
    second = chat.newest["text"]
    chat.tap("‹ Back")

    assert (first.count("выпуск"), second.count("выпуск")) == (5, 2)
    assert chat.newest["text"] == first
    assert len(chat.api.ledger) == 1


def test_a_page_whose_search_is_gone_says_so(chat: Chat) -> None:
    chat.write("/start")

    assert chat.send_tap("page:1") == "This search is too old. Please search again."


@pytest.mark.parametrize("words", ["", " a", "\N{ZERO WIDTH SPACE}"])
def test_a_search_for_nothing_says_how_to_search(chat: Chat, words: str) -> None:
    assert "/search port" in chat.write(f"/search {words}")


@pytest.mark.parametrize("words", ["% _ ' \" \\ <b>", "а" * 4000, "-- ; drop", "'''' & | ! ( :*"])
def test_any_words_may_be_searched(chat: Chat, words: str) -> None:
    published("Порт")
    indexing.catch_up()

    assert chat.write(f"/search {words}").startswith(("Nothing was found", "Found for"))


def test_what_was_deleted_from_its_channel_is_shown_to_nobody(chat: Chat) -> None:
    published("Ошибочная новость", state=Publication.State.DELETED)
    indexing.catch_up()

    assert "Ошибочная" not in chat.write("/latest") + chat.write("/search ошибочная")
