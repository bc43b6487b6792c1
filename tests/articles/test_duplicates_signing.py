"""Signatures are the same everywhere and always, and close where texts are."""

from __future__ import annotations

import subprocess
import sys

import pytest

from articles.duplicates import signing
from articles.duplicates.comparing import Piece, differences
from articles.duplicates.shingles import jaccard, shingles, words
from articles.models import Signature
from tests.articles.invented_news import revised, text
from tests.factories import ArticleFactory

SIGN = "from articles.duplicates import signing, shingles; print(signing.sign([shingles.shingles('{}')]))"


def signed(content: str) -> signing.Signed:
    return signing.sign([shingles(content)])[0]


def test_a_signature_never_changes() -> None:
    """Rows of years depend on it: whoever must change this raises `signing.OURS`."""
    sketch, bands = signed(text(1))

    assert signing.VERSION == 1002
    assert sketch.hex()[:32] == "629885bbeea15fb23a09f041e201bcbe"
    assert bands[:3] == (-145589461, 1990277183, 6924398)


def test_another_process_signs_alike() -> None:
    content = text(1)
    # Other hashes than here, where the seed is a random one or was chosen by somebody else.
    environment = {"PYTHONHASHSEED": "20261122", "DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": ""}
    code = f"import django; django.setup(); {SIGN.format(content)}"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == str([signed(content)])


def test_a_short_text_says_too_little() -> None:
    assert signed("Порт закрыт из-за шторма до утра.") == signing.UNSIGNED
    assert signing.sign([]) == []


def test_sketches_agree_as_much_as_texts_share() -> None:
    one, other = text(1, 400), revised(text(1, 400), kept=0.7)

    shared = signing.agreement(signed(one).sketch, signed(other).sketch) / signing.HASHES

    assert shared == pytest.approx(jaccard(shingles(one), shingles(other)), abs=0.15)


def test_case_and_punctuation_make_no_difference() -> None:
    assert words("«Ёлка», — сказал ОН: 14,3!") == ["елка", "сказал", "он", "14", "3"]
    assert jaccard(shingles("Порт, увеличил перевалку"), shingles("порт УВЕЛИЧИЛ перевалку.")) == 1


def test_texts_without_words_share_nothing() -> None:
    assert jaccard(shingles("!!!"), shingles("!!!")) == 0


@pytest.mark.django_db
def test_bands_come_back_as_they_were_written() -> None:
    bands = signed(text(1)).bands
    Signature.objects.create(article=ArticleFactory(), version=1, sketch=b"1", bands=bands)
    Signature.objects.create(article=ArticleFactory(), version=1, sketch=b"", bands=())

    assert list(Signature.objects.order_by("pk").values_list("bands", flat=True)) == [list(bands), []]


def test_what_only_one_text_says_is_told() -> None:
    ours, theirs = differences("Порт вырос на 12%.\n\nРост дал терминал.", "порт вырос на 21%. Рост дал терминал")

    assert [piece.text for piece in ours if piece.is_different] == ["12%."]
    assert [piece.text for piece in theirs if piece.is_different] == ["21%."]
    assert "".join(piece.text for piece in ours) == "Порт вырос на 12%.\n\nРост дал терминал."


def test_beyond_the_bound_nothing_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("articles.duplicates.comparing.MOST_WORDS", 2)

    assert differences("а б в", "а б г") == ([Piece("а б в", False)], [Piece("а б г", False)])
