"""Templates of posts: what they make of values, what goes with an empty one, and what is said about a wrong one."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from publishing.post_template import PLACEHOLDERS, standard
from publishing.splitting import Mark
from publishing.template_syntax import TAGS, TemplateError, read, validate_template

LINK = "https://news.example/1"
VALUES = {
    "title": "Заголовок",
    "text": "Один.\n\nДва.",
    "source": "Лента",
    "link": LINK,
    "tags": "#порт",
    "footer": "@warandpeace",
    "date": "22 ноября 2026",
}


def text_of(template: str, **values: str) -> str:
    return read(template).fill(VALUES | values)[0]


def marks_of(template: str, **values: str) -> list[Mark]:
    return read(template).fill(VALUES | values)[1]


def problem_of(template: str) -> TemplateError:
    with translation.override("en"), pytest.raises(TemplateError) as raised:
        read(template)
    return raised.value


# --- what it makes --------------------------------------------------------------------------------------------------


def test_placeholders_are_replaced_where_they_stand() -> None:
    text = text_of('<b>{title}</b>\n\n{text}\n\n<a href="{link}">{source}</a>, {date}\n{tags}\n{footer}')

    assert text == "Заголовок\n\nОдин.\n\nДва.\n\nЛента, 22 ноября 2026\n#порт\n@warandpeace"


def test_the_standard_template_is_the_post_as_it_always_was() -> None:
    text, marks = read(standard("en")).fill(VALUES)

    assert text == "Заголовок\n\nОдин.\n\nДва.\n\nSource · @warandpeace\n#порт"
    assert marks == [Mark(0, 9, "bold"), Mark(24, 30, "text_link", LINK)]


@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_standard_template_can_be_read(language: str) -> None:
    assert read(standard(language)).fields == {"title", "text", "link", "footer", "tags"}


@pytest.mark.parametrize(("tag", "kind"), [(tag, kind) for tag, kind in TAGS.items() if tag != "a"])
def test_each_tag_makes_its_entity(tag: str, kind: str) -> None:
    assert marks_of(f"<{tag}>{{title}}</{tag}>") == [Mark(0, 9, kind)]


def test_a_link_leads_to_a_fixed_address_too() -> None:
    assert marks_of('{title} <a href="https://t.me/a?b=1&amp;c=2">канал</a>') == [
        Mark(10, 15, "text_link", "https://t.me/a?b=1&c=2")
    ]


def test_elements_may_be_nested_and_reach_over_lines() -> None:
    assert marks_of("<b>{title}\n<i>{source}</i></b>") == [Mark(0, 15, "bold"), Mark(10, 15, "italic")]


def test_a_formatted_stretch_has_no_white_space_at_its_ends() -> None:
    assert marks_of("{source}<b> {title} </b>{date}") == [Mark(6, 15, "bold")]


def test_doubled_braces_and_references_are_the_signs_themselves() -> None:
    assert text_of("{{{title}}} &lt;b&gt; &amp;amp; &#171;x&#187; &nbsp;") == "{Заголовок} <b> &amp; «x» &nbsp;"


def test_what_a_value_says_is_no_template() -> None:
    assert text_of("<b>{title}</b>", title="{text} <i>x</i> {{") == "{text} <i>x</i> {{"


def test_characters_that_telegram_drops_are_no_part_of_it() -> None:
    assert text_of("a\u202e&#8238;b {title}") == "ab Заголовок"


# --- what goes with an empty placeholder ----------------------------------------------------------------------------


def test_an_empty_placeholder_takes_its_line_with_it() -> None:
    assert text_of("{title}\nТеги: {tags}\n{footer}", tags="") == "Заголовок\n@warandpeace"


def test_an_empty_placeholder_takes_its_paragraph_with_it() -> None:
    assert text_of("{title}\n\n{text}\n\n{footer}", text="") == "Заголовок\n\n@warandpeace"


@pytest.mark.parametrize(
    ("source", "date", "footer", "expected"),
    [
        ("Лента", "", "Канал", "Лента | Канал"),
        ("", "сегодня", "Канал", "Дата: сегодня | Канал"),
        ("Лента", "сегодня", "", "Лента · Дата: сегодня"),
        ("", "", "Канал", "Канал"),
        ("", "", "", "Заголовок"),
    ],
)
def test_an_empty_placeholder_takes_its_piece_and_separator(source: str, date: str, footer: str, expected: str) -> None:
    text = text_of("{title}\n{source} · Дата: {date} | {footer}", source=source, date=date, footer=footer)

    assert text == f"Заголовок\n{expected}".replace("Заголовок\nЗаголовок", "Заголовок")


def test_an_element_that_holds_nothing_else_goes_with_its_placeholder() -> None:
    assert text_of("{title} <i>({date})</i>.", date="") == "Заголовок ."


def test_a_link_that_leads_nowhere_goes_with_its_words() -> None:
    assert text_of('{title}\n<a href="{link}">Читать</a> · {footer}', link="") == "Заголовок\n@warandpeace"


def test_no_white_space_is_left_at_the_end_of_a_line() -> None:
    template = "<b>{title}    {source}</b>\n{footer}"

    assert text_of(template, source="") == "Заголовок\n@warandpeace"
    assert marks_of(template, source="") == [Mark(0, 9, "bold")]


def test_words_that_depend_on_nothing_stay() -> None:
    assert text_of("{title}\nПодписывайтесь!\n{tags}", tags="") == "Заголовок\nПодписывайтесь!"


@given(values=st.fixed_dictionaries({name: st.sampled_from(["", "слово"]) for name in PLACEHOLDERS}))
def test_no_empty_line_is_left_over_and_each_value_is_there(values: dict[str, str]) -> None:
    text = text_of('<b>{title}</b>\n\n{text}\n\n<a href="{link}">{source}</a> · {date}\n{tags}\n\n{footer}', **values)

    assert "\n\n\n" not in text
    assert text == text.strip()
    shown = sum(bool(values[name]) for name in ("title", "text", "date", "tags", "footer"))
    assert text.count("слово") == shown + bool(values["link"] and values["source"])


# --- what is said about a wrong one ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{title}\n{tittle}", "Line 2, character 1: There is no placeholder {tittle}; did you mean {title}?"),
        ("{title} {weather}", "Line 1, character 9: There is no placeholder {weather}. There are {title}, {text}"),
        ("{title.__class__}", "There is no placeholder {title.__class__}"),
        ("{title!r:>10}", "There is no placeholder {title!r:>10}"),
        ("{title}\n <b>{text}", "Line 2, character 2: <b> is never closed"),
        ("{title}</b>", "Line 1, character 8: </b> closes nothing"),
        ("<b><i>{title}</b></i>", "Line 1, character 14: </b> stands before </i>"),
        ("<p>{title}</p>", "Line 1, character 1: Telegram has no <p>: a new line of the template"),
        ("{title}<br/>", "Telegram has no <br>"),
        ("<script>{title}</script>", "Telegram has no <script>. There are <b>"),
        ("<b class='x'>{title}</b>", "<b> takes nothing after its name"),
        ("<a>{title}</a>", "A link is written"),
        ('<a href="{link}" onclick="x">{title}</a>', "A link is written"),
        ('<a href="javascript:alert(1)">{title}</a>', "“javascript:alert(1)” is no address"),
        ('<a href="{title}">{title}</a>', "“{title}” is no address"),
        ('<a href="https://a.ru"><a href="https://b.ru">{title}</a></a>', "<a> can't stand inside another one"),
        ("<code><b>{title}</b></code>", "<b> can't stand inside <code>"),
        ("<b><pre>{title}</pre></b>", "<pre> can't stand inside <b>"),
        ("<b><strong>{title}</strong></b>", "<strong> can't stand inside another one"),
        ("<blockquote><blockquote>{title}</blockquote></blockquote>", "<blockquote> can't stand inside another one"),
        ("{title} < 5", "Line 1, character 9: “<” begins no tag here"),
        ("{title} {", "Line 1, character 9: “{” stands alone"),
        ("{title} }", "Line 1, character 9: “}” stands alone"),
        ("{% load x %}{title}", "There is no placeholder {% load x %}"),
        ("{{title}}", "There must be {title} or {text} in it"),
        ("{footer}", "There must be {title} or {text} in it"),
        ("", "There must be {title} or {text} in it"),
    ],
)
def test_a_sentence_says_what_is_wrong_and_where(template: str, problem: str) -> None:
    assert problem in str(problem_of(template))


def test_the_model_refuses_what_cannot_be_read() -> None:
    with pytest.raises(ValidationError, match="<b>"):
        validate_template("<b>{title}")


@given(st.text(alphabet="{}<>/abitle\n &;\"'=", max_size=40))
def test_any_template_is_read_or_refused_with_a_place(source: str) -> None:
    try:
        template = read(source)
    except TemplateError as error:
        assert error.line <= source.strip().count("\n") + 1
        assert error.column <= len(source) + 1
    else:
        assert "слово" in template.fill(dict.fromkeys(PLACEHOLDERS, "слово"))[0]
