"""A post: its text and entities, and what Telegram's own parser says about them."""

from __future__ import annotations

import json
from html import escape, unescape
from typing import Any

import pytest
import regex
import tdjson
from hypothesis import given, settings
from hypothesis import strategies as st

from publishing.rendering import MAX_UNITS, Part, compose, payload_hash, payload_html, render
from publishing.splitting import Mark, clean, is_visible, split, units
from tests.factories import ArticleFactory, ChannelFactory, PublicationFactory

SOURCE = "https://news.example/1?a=1&b=2"
SENTENCE = "Порт увеличил перевалку угля на двенадцать процентов. "

# Letters of many scripts, emoji with joiners, marks, right-to-left text, HTML and Markdown, controls, lone surrogates.
soup = st.lists(
    st.one_of(
        st.text(max_size=30),
        st.sampled_from(
            [
                "👩‍👩‍👧‍👦",
                "🇷🇺",
                "e\u0301",
                "שלום",
                "\u202eabc",
                "<b>",
                "&amp;",
                "*_`[",
                "\n\n",
                ". ",
                "\x00",
                "\ud83d",
                "Мир ",
            ]
        ),
        st.integers(1, 5000).map(lambda length: "я" * length),
        st.integers(1, 2000).map(lambda length: "🙂" * length),
        st.integers(1, 120).map(lambda count: SENTENCE * count),
    ),
    max_size=12,
).map("".join)


def td(**request: Any) -> dict[str, Any]:
    """An answer of Telegram's own library, which works offline for parsing."""
    type_name = request.pop("type_name")
    reply = tdjson.td_execute(json.dumps({"@type": type_name, **request}).encode())
    answer: dict[str, Any] = json.loads(reply or b"{}")
    return answer


tdjson.td_execute(json.dumps({"@type": "setLogVerbosityLevel", "new_verbosity_level": 0}).encode())


def telegram_html(part: Part) -> str:
    """The part in Telegram's HTML, made by its rules and not by our code."""
    encoded, done, html = part.text.encode("utf-16-le"), 0, ""
    tags = {"bold": ("<b>", "</b>"), "text_link": ('<a href="{}">', "</a>")}
    for entity in part.entities:
        begin, end = 2 * entity.offset, 2 * (entity.offset + entity.length)
        opening, closing = tags[entity.type]
        html += escape(encoded[done:begin].decode("utf-16-le")) + opening.format(escape(entity.url))
        html += escape(encoded[begin:end].decode("utf-16-le")) + closing
        done = end
    return html + escape(encoded[done:].decode("utf-16-le"))


def test_title_paragraphs_source_and_footer_stand_in_this_order() -> None:
    [part] = compose(title="Заголовок", text="Один.\n\nДва.", source_url=SOURCE, footer="@warandpeace", language="en")

    assert part.text == "Заголовок\n\nОдин.\n\nДва.\n\nSource · @warandpeace"
    assert [(entity.type, entity.offset, entity.length) for entity in part.entities] == [
        ("bold", 0, 9),
        ("text_link", 24, 6),
    ]


def test_the_link_is_named_in_the_channels_language() -> None:
    [part] = compose(title="Заголовок", text="Текст", source_url=SOURCE, language="ru")

    assert part.text.endswith("\n\nИсточник")


def test_offsets_count_utf16_units() -> None:
    [part] = compose(title="🙂🙂", text="x", source_url=SOURCE, language="en")

    assert part.entities[0].length == 4
    assert part.entities[1].offset == 9


@pytest.mark.parametrize(
    "url", ["", "javascript:alert(1)", "https://", "http://a b/", "file:///etc/passwd", "http://["]
)
def test_what_is_no_web_address_gets_no_link(url: str) -> None:
    [part] = compose(title="Заголовок", text="Текст", source_url=url)

    assert part.text == "Заголовок\n\nТекст"
    assert part.payload()["link_preview_options"] == {"is_disabled": True}


def test_only_the_message_with_the_source_shows_its_preview() -> None:
    first, last = compose(title="Заголовок", text=SENTENCE * 100, source_url=SOURCE, language="en")

    assert first.payload()["link_preview_options"] == {"is_disabled": True}
    assert last.payload()["link_preview_options"] == {"url": SOURCE}


def test_nothing_readable_makes_no_message() -> None:
    assert compose(title=" \u200b", text="\x00\n", source_url=SOURCE, footer="@warandpeace") == []


def test_what_does_not_belong_in_a_post_is_cleaned_away() -> None:
    assert clean("a\x00b\ud800\u202ec\r\nd\u2028e  \n\n\n\nf\u0333\t") == "abc\nd\ne\n\nf"


def test_a_paragraph_that_fits_is_not_cut() -> None:
    paragraphs = [SENTENCE * 30, SENTENCE * 60, SENTENCE * 10]

    pieces = [piece.text for piece in split("\n\n".join(paragraphs))]

    assert pieces == [paragraphs[0].strip(), f"{paragraphs[1].strip()} \n\n{paragraphs[2].strip()}"]


def test_a_long_paragraph_is_cut_after_a_sentence() -> None:
    pieces = [piece.text for piece in split(SENTENCE * 200)]

    assert len(pieces) == 3
    assert all(piece.endswith("процентов.") for piece in pieces)


def test_a_long_sentence_is_cut_between_words() -> None:
    pieces = [piece.text for piece in split("слово " * 1500)]

    assert all(set(piece.split()) == {"слово"} for piece in pieces)


def test_a_long_word_is_cut_between_characters_as_readers_see_them() -> None:
    family = "👩‍👩‍👧‍👦"

    pieces = [piece.text for piece in split(family * 500)]

    assert len(pieces) > 1
    assert all(not piece.replace(family, "") for piece in pieces)


def test_words_that_are_formatted_together_stay_together() -> None:
    text, phrase = "слово " * 680, "красная площадь у самой реки"

    first, second = split(text + phrase, [Mark(len(text), len(text) + len(phrase), "bold")])

    assert first.marks == ()
    assert second.text == phrase


def test_a_link_right_behind_a_long_word_goes_into_the_next_message() -> None:
    first, second = split("я" * 4090 + "ссылка-ссылка", [Mark(4090, 4103, "text_link", SOURCE)])

    assert (first.text, second.text) == ("я" * 4090, "ссылка-ссылка")


def test_a_link_is_never_cut() -> None:
    *_, last = compose(title="З", text="я" * 4090, source_url=SOURCE, footer="@warandpeace", language="en")

    assert last.text == "Source · @warandpeace"
    assert last.entities[0].length == len("Source")


@settings(max_examples=60, deadline=None)
@given(title=soup, text=soup, footer=st.sampled_from(["", "@warandpeace"]))
def test_any_text_becomes_messages_within_the_limits(title: str, text: str, footer: str) -> None:
    parts = compose(title=title, text=text, source_url=SOURCE, footer=footer, language="en")

    assert bool(parts) == is_visible(title + text)
    for part in parts:
        assert 0 < part.units <= MAX_UNITS
        assert len(json.dumps(part.payload(), ensure_ascii=False).encode()) <= 32768
        assert part.text == part.text.strip()
        assert all(0 <= entity.offset < entity.offset + entity.length <= part.units for entity in part.entities)


@settings(max_examples=60, deadline=None)
@given(text=soup)
def test_the_messages_together_are_the_text(text: str) -> None:
    cleaned = clean(text)

    rest = cleaned
    for piece in split(cleaned):
        head, found, rest = rest.partition(piece.text)
        assert found
        assert not is_visible(head)
    assert not is_visible(rest)


@settings(max_examples=60, deadline=None)
@given(text=soup)
def test_no_word_that_fits_is_cut(text: str) -> None:
    words = {word for word in clean(text).split() if units(word) <= MAX_UNITS}

    pieces = list(split(clean(text)))

    assert words - {word for piece in pieces for word in piece.text.split()} <= {w for w in words if not is_visible(w)}


@settings(max_examples=60, deadline=None)
@given(title=soup, text=soup)
def test_telegrams_own_parser_reads_the_same_text_and_entities(title: str, text: str) -> None:
    for part in compose(title=title, text=text, source_url=SOURCE, language="en"):
        parsed = td(type_name="parseTextEntities", text=telegram_html(part), parse_mode={"@type": "textParseModeHTML"})

        assert parsed["text"] == part.text
        seen = [(entity["offset"], entity["length"]) for entity in parsed["entities"]]
        assert seen == [(entity.offset, entity.length) for entity in part.entities]


@settings(max_examples=60, deadline=None)
@given(text=soup)
def test_telegram_cleans_nothing_more_away(text: str) -> None:
    # parseMarkdown cleans a text as sending does; without Markdown's own characters it changes nothing else.
    for part in compose(title="Title", text=regex.sub(r"[*_~|`\[\]]", "", text), source_url=SOURCE, language="en"):
        bold = {"@type": "textEntity", "offset": 0, "length": part.units, "type": {"@type": "textEntityTypeBold"}}
        cleaned = td(type_name="parseMarkdown", text={"@type": "formattedText", "text": part.text, "entities": [bold]})

        assert cleaned["text"] == part.text


@settings(max_examples=60, deadline=None)
@given(text=soup)
def test_the_preview_shows_the_same_text_and_nothing_of_it_is_markup(text: str) -> None:
    for part in compose(title="Title", text=text, language="en"):
        html = payload_html(part.payload())

        shown = regex.sub(r"</?b>", "", html.replace("<br>", "\n"))
        assert "<" not in shown
        assert unescape(shown) == part.text


def test_the_preview_shows_bold_and_link() -> None:
    [part] = compose(title="Bread & <circuses>", text="Text", source_url=SOURCE, language="en")

    html = payload_html(part.payload())

    assert html.startswith("<b>Bread &amp; &lt;circuses&gt;</b><br><br>Text<br><br>")
    assert 'href="https://news.example/1?a=1&amp;b=2"' in html


def test_equal_payloads_have_one_hash() -> None:
    assert payload_hash({"text": "a", "entities": []}) == payload_hash({"entities": [], "text": "a"})
    assert payload_hash({"text": "a", "entities": []}) != payload_hash({"text": "b", "entities": []})


def test_more_entities_than_telegram_takes_go_into_the_next_message() -> None:
    text = "a b " * 150

    first, second = split(text, [Mark(4 * n, 4 * n + 1, "bold") for n in range(150)])

    assert [len(piece.marks) for piece in (first, second)] == [100, 50]


@pytest.mark.django_db
def test_a_publication_goes_out_in_the_editors_words() -> None:
    channel = ChannelFactory.create(language="en", footer="@warandpeace")
    article = ArticleFactory.create(url="https://news.example/42")
    publication = PublicationFactory.create(channel=channel, article=article, title="T", edited_text="Edited.")

    [part] = render(publication)

    assert part.text == "T\n\nEdited.\n\nSource · @warandpeace"
    assert part.entities[1].url == "https://news.example/42"
