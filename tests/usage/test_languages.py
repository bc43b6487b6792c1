from __future__ import annotations

import pytest

from usage.languages import language_of, stemmer, stems


@pytest.mark.parametrize(
    ("text", "language"),
    [("Порт вырос", "ru"), ("The port grew", "en"), ("Порт Port плюс", "ru"), ("12,4%", ""), ("港口", ""), ("", "")],
)
def test_the_letters_tell_the_language(text: str, language: str) -> None:
    assert language_of(text) == language


def test_inflected_words_have_one_stem() -> None:
    assert stems("порта портом", stemmer("ru")) == stems("Порт", stemmer("ru"))


def test_stopwords_have_no_stem() -> None:
    assert stems("Она была в порту", stemmer("ru")) == stems("порту", stemmer("ru"))


def test_words_of_another_language_stay_as_they_are() -> None:
    assert stems("häuser", stemmer("de")) == {"häuser"}
