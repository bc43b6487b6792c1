"""charset: Russian text is read right, whatever it claims to be in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.charset import decode

NEWS = (
    "<item><title>Порт увеличил перевалку угля</title><description>Об этом сообщила пресс-служба.</description></item>"
)
CLAIMS = ["", "utf-8", "windows-1251", "koi8-r", "iso-8859-1", "us-ascii", "no-such-encoding"]


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1251", "koi8-r", "cp866", "utf-16", "utf-16-le", "utf-8-sig"])
@pytest.mark.parametrize("declared", CLAIMS)
@pytest.mark.parametrize("served_as", ["", "koi8-r", "iso-8859-1"])
def test_russian_is_read_whatever_is_claimed(encoding: str, declared: str, served_as: str) -> None:
    claim = f' encoding="{declared}"' if declared else ""
    document = f'<?xml version="1.0"{claim}?>{NEWS}'

    text = decode(document.encode(encoding), content_type=f"text/xml; charset={served_as}" if served_as else "text/xml")

    assert text == document


@pytest.mark.parametrize("encoding", ["windows-1251", "koi8-r"])
def test_a_page_is_read_by_its_meta_element(encoding: str) -> None:
    page = f'<!-- old --><!doctype html><meta http-equiv="Content-Type" content="text/html; charset={encoding}">{NEWS}'

    assert decode(page.encode(encoding)) == page


def test_the_word_of_a_person_is_final() -> None:
    assert decode("Порт".encode("koi8-r"), override="windows-1251", content_type="text/xml; charset=koi8-r") != "Порт"


def test_an_unknown_word_of_a_person_is_ignored() -> None:
    assert decode(NEWS.encode("koi8-r"), override="klingon") == NEWS


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("Le café était fermé à Besançon.", "iso-8859-1"), ("Żółta łódź płynie", "iso-8859-2"), ("港は石炭", "shift_jis")],
)
def test_other_languages_are_read_as_declared(text: str, encoding: str) -> None:
    document = f'<?xml version="1.0" encoding="{encoding}"?><title>{text}</title>'

    assert decode(document.encode(encoding)) == document


def test_undeclared_western_text_is_read_as_windows_1252() -> None:
    assert decode("“Le café”".encode("windows-1252")) == "“Le café”"


def test_utf_8_with_a_letter_cut_in_half_stays_utf_8() -> None:
    assert decode((NEWS * 3).encode()[:-1] + "П".encode()[:1]).startswith(NEWS)


@pytest.mark.parametrize("codec", ["idna", "punycode", "undefined", "unicode_escape", "base64", "rot13", "\x00"])
def test_a_codec_that_is_no_encoding_is_ignored(codec: str) -> None:
    assert decode(NEWS.encode("koi8-r"), override=codec, content_type=f"text/xml; charset={codec}") == NEWS


@given(st.binary(max_size=300), st.text(max_size=20), st.text(max_size=10))
def test_any_bytes_become_text(body: bytes, content_type: str, override: str) -> None:
    assert isinstance(decode(body, content_type=content_type, override=override), str)
