"""A post: its text and entities, and what Telegram's own parser says about them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape, unescape
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.models import Picture, Tag
from publishing.post_template import Template
from publishing.preview import payload_html
from publishing.rendering import Part, Photo, compose, payload_hash, render
from publishing.splitting import MAX_CAPTION_UNITS, MAX_UNITS, Mark, clean, is_visible, split, units
from publishing.template_syntax import read
from tests.factories import ArticleFactory, ChannelFactory, PictureFactory, PublicationFactory
from tests.publishing.tdlib import td

SOURCE = "https://news.example/1?a=1&b=2"
MOMENT = datetime(2026, 11, 22, 12, 5, tzinfo=UTC)
PHOTO = Photo("ab" * 32, "https://news.example/port.jpg")
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


TAGS = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strikethrough": "s",
    "spoiler": "tg-spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "text_link": "a",
}
TD_TYPES = {"textUrl": "text_link", "blockQuote": "blockquote"}
EVERYTHING = read(
    "<b>{title}</b> <u><i>{date}</i></u>\n\n<blockquote>{text}</blockquote>\n\n"
    '<b><a href="{link}">{source}</a></b> · <s>{footer}</s>\n<tg-spoiler>{tags}</tg-spoiler>\n<code>{footer}</code>'
)


LEAVES = ["{title}", "{text}", "{source}", "{tags}", "{footer}", "{date}", "\n", "\n\n", " · ", "слово "]
NESTABLE = [tag for tag in TAGS.values() if tag not in {"code", "pre"}]


@st.composite
def inside(draw: st.DrawFn, outer: tuple[str, ...]) -> str:
    """A piece of a template that may stand inside these elements."""
    tags = [tag for tag in NESTABLE if tag not in outer] + ([] if outer else ["code", "pre"])
    if len(outer) > 2 or draw(st.booleans()):
        return draw(st.sampled_from(LEAVES))
    tag = draw(st.sampled_from(tags))
    if tag in {"code", "pre"}:
        return f"<{tag}>{draw(st.sampled_from(LEAVES))}</{tag}>"
    pieces = "".join(draw(st.lists(inside((*outer, tag)), min_size=1, max_size=4)))
    return f'<a href="{{link}}">{pieces}</a>' if tag == "a" else f"<{tag}>{pieces}</{tag}>"


templates = (
    st.lists(inside(()), max_size=6).map("".join).filter(lambda source: "{title}" in source or "{text}" in source)
)


def telegram_html(part: Part) -> str:
    """The part in Telegram's HTML, made by its rules and not by our code."""
    encoded, html, done = part.text.encode("utf-16-le"), "", 0
    events = []
    for number, entity in enumerate(part.entities):
        tag, end = TAGS[entity.type], entity.offset + entity.length
        href = f' href="{escape(entity.url)}"' if entity.url else ""
        # At one place ends come first, the inner element's before the outer one's; then the outer one begins first.
        events.append((end, 0, entity.length, -number, f"</{tag}>"))
        events.append((entity.offset, 1, -entity.length, number, f"<{tag}{href}>"))
    for place, _is_start, _length, _number, tag in sorted(events):
        html += escape(encoded[2 * done : 2 * place].decode("utf-16-le")) + tag
        done = place
    return html + escape(encoded[2 * done :].decode("utf-16-le"))


def entities_of(parsed: dict[str, Any]) -> set[tuple[str, int, int]]:
    """Telegram's entities, in the words of the Bot API."""
    kinds = [entity["type"]["@type"].removeprefix("textEntityType") for entity in parsed["entities"]]
    names = [kind[0].lower() + kind[1:] for kind in kinds]
    return {
        (TD_TYPES.get(name, name), entity["offset"], entity["length"])
        for name, entity in zip(names, parsed["entities"], strict=True)
    }


def covered(entities: Iterable[tuple[str, int, int]]) -> set[tuple[str, int]]:
    """How each UTF-16 unit is formatted: neighbours of one kind are one to Telegram."""
    return {(kind, place) for kind, offset, length in entities for place in range(offset, offset + length)}


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
@given(title=soup, text=soup, footer=soup, template=st.sampled_from([None, EVERYTHING]))
def test_telegrams_own_parser_reads_the_same_text_and_entities(
    title: str, text: str, footer: str, template: Template | None
) -> None:
    said: dict[str, Any] = {"source_url": SOURCE, "source": "Лента", "tags": ["порт"], "published_at": MOMENT}
    for part in compose(title=title, text=text, footer=footer, template=template, **said):
        parsed = td("parseTextEntities", text=telegram_html(part), parse_mode={"@type": "textParseModeHTML"})

        assert parsed["text"] == part.text
        assert entities_of(parsed) == {(entity.type, entity.offset, entity.length) for entity in part.entities}


@settings(max_examples=200, deadline=None)
@given(
    source=templates, text=st.sampled_from(["", "Один.\n\nДва 🙂.", SENTENCE * 100]), footer=st.sampled_from(["", "x"])
)
def test_telegram_accepts_what_any_template_makes(source: str, text: str, footer: str) -> None:
    said: dict[str, Any] = {"source_url": SOURCE, "source": "Лента", "tags": ["порт"], "footer": footer}
    for part in compose(title="Т", text=text, template=read(source), **said):
        parsed = td("parseTextEntities", text=telegram_html(part), parse_mode={"@type": "textParseModeHTML"})

        assert parsed["text"] == part.text
        assert all(line == line.rstrip() for line in part.text.split("\n"))
        assert covered(entities_of(parsed)) == covered(
            (entity.type, entity.offset, entity.length) for entity in part.entities
        )


@settings(max_examples=60, deadline=None)
@given(title=soup, text=soup, footer=soup)
def test_messages_by_any_template_are_within_the_limits_and_together_the_text(
    title: str, text: str, footer: str
) -> None:
    values = {"title": " ".join(clean(title).split()), "text": clean(text), "footer": " ".join(clean(footer).split())}

    parts = compose(title=title, text=text, footer=footer, template=EVERYTHING, photo=PHOTO)

    assert all(0 < part.units <= part.limit and len(part.entities) <= 100 for part in parts)
    rest = EVERYTHING.fill(values)[0] if parts else ""
    for part in parts:
        head, found, rest = rest.partition(part.text)
        assert found
        assert not is_visible(head)
    assert not is_visible(rest)


@settings(max_examples=60, deadline=None)
@given(text=soup)
def test_telegram_cleans_nothing_more_away(text: str) -> None:
    # parseMarkdown cleans a text as sending does; without Markdown's own characters it changes nothing else.
    for part in compose(title="Title", text=regex.sub(r"[*_~|`\[\]]", "", text), source_url=SOURCE, language="en"):
        bold = {"@type": "textEntity", "offset": 0, "length": part.units, "type": {"@type": "textEntityTypeBold"}}
        cleaned = td("parseMarkdown", text={"@type": "formattedText", "text": part.text, "entities": [bold]})

        assert cleaned["text"] == part.text


@settings(max_examples=60, deadline=None)
@given(text=soup)
def test_the_preview_shows_the_same_text_and_nothing_of_it_is_markup(text: str) -> None:
    for part in compose(title="Title", text=text, language="en"):
        html = payload_html(part.payload())

        ours = r'</?b>|<span class="tg-(hashtag|mention)">|<a href="[^"<>]*" rel="[^"]*" target="_blank">|</(span|a)>'
        shown = regex.sub(ours, "", html.replace("<br>", "\n"))
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


# --- templates, tags and pictures -----------------------------------------------------------------------------------


def test_a_template_lays_the_post_out() -> None:
    template = read('{date}: <b>{title}</b>\n<a href="{link}">{source}</a> {tags}')

    [part] = compose(
        title="T",
        text="x",
        source_url=SOURCE,
        source="Wire",
        tags=["key rate"],
        published_at=MOMENT,
        template=template,
        language="en",
    )

    assert part.text == "22 November 2026: T\nWire #key_rate"
    assert [(entity.type, entity.offset) for entity in part.entities] == [("bold", 18), ("text_link", 20)]


def test_a_template_that_says_nothing_of_the_text_may_leave_nothing_to_send() -> None:
    assert compose(title="", text="x", template=read("<b>{title}</b>")) == []


def test_a_text_that_fits_below_the_picture_is_its_caption() -> None:
    [part] = compose(title="T", text="x" * (MAX_CAPTION_UNITS - 3), photo=PHOTO)

    payload = part.payload()
    assert (payload["kind"], payload["media"], part.limit) == ("photo", PHOTO.sha256, MAX_CAPTION_UNITS)


def test_a_longer_text_stays_one_message_with_the_picture_above_it() -> None:
    [part] = compose(title="T", text="x" * (MAX_CAPTION_UNITS - 2), source_url=SOURCE, photo=PHOTO)

    payload = part.payload()
    assert "kind" not in payload
    assert payload["media"] == PHOTO.sha256
    assert payload["link_preview_options"] == {
        "url": "https://news.example/port.jpg",
        "prefer_large_media": True,
        "show_above_text": True,
    }


def test_of_several_messages_the_first_has_the_picture() -> None:
    first, second = compose(title="T", text=SENTENCE * 100, source_url=SOURCE, photo=PHOTO)

    assert first.payload()["media"] == PHOTO.sha256
    assert "media" not in second.payload()


def test_the_preview_shows_nested_elements_and_what_telegram_links_by_itself() -> None:
    template = read("<blockquote><b>{title} <i>{source}</i></b></blockquote>\n{tags}\n{footer} <code>{text}</code>")
    [part] = compose(title="T", text="#x", source="S", tags=["порт"], footer="@warandpeace", template=template)

    html = payload_html(part.payload())

    assert html == (
        "<blockquote><b>T <i>S</i></b></blockquote>"
        '<span class="tg-hashtag">#порт</span><br><span class="tg-mention">@warandpeace</span> <code>#x</code>'
    )


def test_the_preview_closes_what_overlaps() -> None:
    entities = [{"type": "bold", "offset": 2, "length": 4}, {"type": "italic", "offset": 4, "length": 4}]

    html = payload_html({"text": "🙂abcd efg", "entities": entities})

    assert html == "🙂<b>ab<i>cd</i></b><i> e</i>fg"


@pytest.mark.django_db
def test_a_publication_says_what_its_channels_template_asks_for(django_assert_num_queries: Any) -> None:
    channel = ChannelFactory.create(language="en", template="{title} {tags} {source} {date}")
    article = ArticleFactory.create(source__name="Wire", published_at=MOMENT.replace(hour=22))
    article.tags.add(Tag.objects.create(name="порт", slug="port"))

    [part] = render(PublicationFactory.create(channel=channel, article=article, title="T"))

    assert part.text == "T #порт Wire 23 November 2026"


@pytest.mark.django_db
def test_what_the_template_does_not_name_is_not_looked_up(django_assert_num_queries: Any) -> None:
    publication = PublicationFactory.create(channel=ChannelFactory.create(template="{title}"))

    with django_assert_num_queries(0):
        render(publication)


@pytest.mark.django_db
@pytest.mark.parametrize(("with_photos", "kind"), [(True, "photo"), (False, None)])
def test_the_picture_goes_along_where_the_channel_wants_it(with_photos: bool, kind: str | None) -> None:
    publication = PublicationFactory.create(channel__with_photos=with_photos)
    PictureFactory.create(article=publication.article)

    [part] = render(publication)

    assert part.payload().get("kind") == kind


@pytest.mark.django_db
def test_a_picture_that_never_came_keeps_no_text_back() -> None:
    publication = PublicationFactory.create(channel__with_photos=True)
    Picture.objects.create(article=publication.article, status=Picture.Status.NONE)

    [part] = render(publication)

    assert "media" not in part.payload()


@pytest.mark.django_db
def test_a_template_that_cannot_be_read_keeps_no_post_back(caplog: pytest.LogCaptureFixture) -> None:
    publication = PublicationFactory.create(channel__template="<b>{title}", title="T", text="x")

    [part] = render(publication)

    assert part.text.startswith("T\n\nx")
    assert "can't be used" in caplog.text
