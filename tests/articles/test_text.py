"""text: what a reader sees of HTML, and no character that harms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.text import clean, first_image, from_html, one_line, shorten


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("Порт &amp; город", "Порт & город"),
        ("5 < 6 и AT&T", "5 < 6 и AT&T"),
        ("<p>Один</p><p>Два</p>", "Один\n\nДва"),
        ("Один<br>Два<br/><br/>Три", "Один\nДва\n\nТри"),
        ("<div><p>Один <b>важный</b>\n  абзац</p></div>Два", "Один важный абзац\n\nДва"),
        ("<ul><li>раз</li><li>два</li></ul>", "раз\nдва"),
        ("<p>Текст</p><script>alert(1)</script><style>p{}</style><iframe>x</iframe>", "Текст"),
        ("<h2>Заголовок</h2>Текст", "Заголовок\n\nТекст"),
        ("до&nbsp;порта", "до порта"),
        ("<!-- comment -->Текст", "Текст"),
        ("", ""),
    ],
)
def test_html_becomes_paragraphs_and_lines(html: str, text: str) -> None:
    assert from_html(html) == text


@pytest.mark.parametrize(
    ("odd", "cleaned"),
    [
        ("по\x00рт", "порт"),
        ("по\x0bрт\x1f\x7f\x85", "порт"),
        ("порт\ud800", "порт"),
        ("\u202eпорт\u202c", "порт"),
        ("Порт \u200d", "Порт"),
        ("пор\u200dт", "порт"),
        ("\ufeffпорт\u200b", "порт"),
        ("пере\u00adвал\u00adка", "перевалка"),
        ("\u061cпорт\u206a", "порт"),
        ("и\u0306", "й"),
        ("👨\u200d👩", "👨\u200d👩"),
        (" порт  и\u00a0море ", "порт и море"),
        ("раз\r\nдва\r\r\n\nтри", "раз\nдва\n\nтри"),
    ],
)
def test_odd_characters_go(odd: str, cleaned: str) -> None:
    assert clean(odd) == cleaned


@given(st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text().map(lambda text: f"<p>{text}</p>"))
def test_every_text_can_be_stored_in_both_databases(html: str) -> None:
    stored = from_html(html).encode()

    assert b"\x00" not in stored


def test_a_title_is_one_line() -> None:
    assert one_line(" Порт\n\nрастёт \u200d") == "Порт растёт"


def test_a_long_text_is_cut_between_words() -> None:
    assert shorten("Порт увеличил перевалку", 16) == "Порт увеличил…"
    assert shorten("Порт", 4) == "Порт"


def test_the_first_picture_is_found() -> None:
    assert first_image('<p>x<img alt=1><IMG SRC=" /a.jpg "><img src="/b.jpg">') == "/a.jpg"
    assert first_image("<p>none</p>") == ""
