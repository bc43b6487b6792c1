from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.usage.news import NEWS, News
from usage.extractive import NothingToSummarise, choose, summarise

LONG = 900
MANY = "".join(f"Порт {number}. " for number in range(100_000))
# Pieces that a text from outside is likely to be made of, put together in ways nobody foresaw.
pieces = st.sampled_from(
    [
        "Порт вырос на 12,4%. ",
        "«Да",
        "», — сказал он. ",
        "г. ",
        "А. С. Иванов ",
        "\n",
        "Read more: x\n",
        "Dr. ",
        "… ",
        "\x00",
    ]
)
texts = st.lists(pieces | st.text(max_size=40), max_size=60).map("".join)


def letters(text: str) -> str:
    """A text as it is compared: without space and what cannot be seen."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]", "", text)


@pytest.mark.parametrize("news", NEWS, ids=lambda news: news.name)
def test_keeps_the_lead_and_its_figures(news: News) -> None:
    summary = summarise(news.text, title=news.title)

    assert [fact for fact in news.kept if fact not in summary] == []


@pytest.mark.parametrize("news", NEWS, ids=lambda news: news.name)
def test_leaves_out_what_is_no_news(news: News) -> None:
    summary = summarise(news.text, title=news.title)

    assert [noise for noise in news.left_out if noise in summary] == []


@pytest.mark.parametrize("news", [news for news in NEWS if len(news.text) > LONG / 2], ids=lambda news: news.name)
def test_is_a_post_of_two_paragraphs(news: News) -> None:
    summary = summarise(news.text, title=news.title)

    assert 400 <= len(summary) <= LONG
    assert summary.count("\n\n") == 1


@settings(deadline=None)
@given(texts, st.integers(min_value=1, max_value=1200))
def test_is_never_longer_than_allowed(text: str, max_chars: int) -> None:
    try:
        summary = summarise(text, max_chars=max_chars)
    except NothingToSummarise:
        return

    assert 0 < len(summary) <= max_chars


@settings(deadline=None)
@given(texts)
def test_each_sentence_is_in_the_text(text: str) -> None:
    try:
        chosen = choose(text)
    except NothingToSummarise:
        return

    assert [sentence for sentence in chosen if letters(sentence) not in letters(text)] == []


@settings(deadline=None)
@given(texts)
def test_is_the_same_each_time(text: str) -> None:
    try:
        summary = summarise(text)
    except NothingToSummarise:
        return

    assert summarise(text) == summary


def test_sentences_keep_their_order() -> None:
    text = NEWS[0].text

    places = [text.find(sentence[:30]) for sentence in choose(text)]

    assert places == sorted(places)
    assert -1 not in places


@pytest.mark.parametrize("text", ["", " \n\t", "!!! … —", "\x00\u200b"])
def test_a_text_without_words_is_refused(text: str) -> None:
    with pytest.raises(NothingToSummarise):
        summarise(text)


def test_a_text_without_an_end_is_cut_at_a_word() -> None:
    summary = summarise("порт увеличил перевалку " * 100, max_chars=100)

    assert summary.endswith(("порт…", "увеличил…", "перевалку…"))
    assert len(summary) <= 100


def test_one_sentence_is_its_own_summary() -> None:
    assert summarise("Порт в 2026 г. вырос на 12,4%") == "Порт в 2026 г. вырос на 12,4%"


def test_stopwords_alone_are_still_a_text() -> None:
    assert summarise("Это был он.") == "Это был он."


def test_the_title_is_not_repeated() -> None:
    summary = summarise("Порт вырос\nПеревалка угля увеличилась на 12%, сообщили в порту.", title="Порт вырос.")

    assert summary == "Перевалка угля увеличилась на 12%, сообщили в порту."


def test_the_title_stays_where_there_is_nothing_else() -> None:
    assert summarise("Порт вырос.", title="Порт вырос") == "Порт вырос."


def test_boilerplate_stays_where_there_is_nothing_else() -> None:
    assert summarise("Подписывайтесь на наш канал.") == "Подписывайтесь на наш канал."


def test_the_same_sentence_is_taken_once() -> None:
    sentence = "Порт увеличил перевалку угля на 12%, сообщила пресс-служба."

    assert summarise(f"{sentence}\n{sentence}\n{sentence}") == sentence


def test_a_sentence_that_says_he_comes_only_with_whom_it_means() -> None:
    first, second = "Порт вырос на 12%, сообщила пресс-служба.", "Он добавил, что на стройке заняты 640 человек."
    director = f"Директор порта {'и его помощники ' * 20}рассказал о стройке."

    assert choose(f"{first} {director} {second}", max_chars=200) == [first]
    assert choose(f"{first} {second}", max_chars=200) == [first, second]


def test_what_says_the_same_again_is_left_out() -> None:
    first = "Порт Усть-Каменка за год увеличил перевалку угля на 12%."

    assert choose(f"{first} За год порт увеличил перевалку угля на 12%, отметили там.") == [first]


@pytest.mark.parametrize(
    "noise",
    [
        "— Мы очень довольны тем, как в этом году вырос порт!",
        "«Порт в этом году вырос так, как мы и не ждали».",
        "Почему порт в этом году так вырос?",
        "Порт в этом году вырос по таким причинам:",
    ],
)
def test_news_is_preferred_to_what_is_none(noise: str) -> None:
    lead, news = "Порт за год вырос на 12%, сообщила служба.", "Терминал обошёлся в 14 млрд рублей."

    assert choose(f"{lead}\n{noise}\n{news}", max_chars=100) == [lead, news]


def test_a_quotation_stays_whole() -> None:
    text = "«Мы закончим к маю. Всё идёт по плану», — сказал директор порта А. С. Воронцов."

    assert choose(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "В 2024 г. компания (г. Москва), т. е. А. С. Иванов и др., заработала 3,5 млн руб. в месяц.",
        "Школу им. Пушкина на ул. Ленина, д. 5 построили за 40 тыс. долл. США в 1998–2001 гг. за счёт города.",
        "Dr. J. K. Brown of Acme Inc. left St. Brendan's at 5 p.m. on Dec. 1 with $1.2 billion.",
    ],
)
def test_an_abbreviation_ends_no_sentence(text: str) -> None:
    assert choose(text) == [text]


@pytest.mark.parametrize(
    "line",
    [
        "УСТЬ-КАМЕНКА, 12 ноября. /ТАСС/. Порт вырос на 12%.",
        "МОСКВА, 12 ноября 2026 — РИА Новости. Порт вырос на 12%.",
        "LONDON, Nov 12 (Reuters) - Порт вырос на 12%.",
        "МОСКВА /ТАСС/. Порт вырос на 12%.",
    ],
)
def test_the_dateline_is_left_out(line: str) -> None:
    assert summarise(line) == "Порт вырос на 12%."


def test_a_wrapped_line_is_one_sentence() -> None:
    assert choose("Порт увеличил перевалку угля\nна 12% за год.") == ["Порт увеличил перевалку угля на 12% за год."]


@pytest.mark.parametrize(
    "text",
    [
        "Порт вырос на 1%. " * 1_200_000,
        "Рост! «" * 100_000,
        "а" * 20_000_000,
        "А. " * 7_000_000,
        "\n" * 20_000_000,
        MANY,
    ],
    ids=["sentences", "quotations", "one word", "initials", "line ends", "short sentences"],
)
@pytest.mark.timeout(20)
def test_no_text_takes_long(text: str) -> None:
    try:
        summary = summarise(text)
    except NothingToSummarise:
        return

    assert len(summary) <= LONG
