from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from articles import prompts
from articles.models import Prompt
from articles.models.prompt import validate_text
from tests.factories import UserFactory

SUMMARY = Prompt.Kind.SUMMARY

pytestmark = pytest.mark.django_db


def versions() -> list[tuple[int, bool]]:
    return list(Prompt.objects.filter(kind=SUMMARY).order_by("version").values_list("version", "is_current"))


@pytest.fixture
def files(tmp_path: Path, settings: LazySettings) -> Path:
    """The product's prompts in a folder of their own, where they can be changed."""
    folder = tmp_path / prompts.FOLDER
    folder.mkdir(parents=True)
    for kind in Prompt.Kind.values:
        (folder / f"{kind}.txt").write_text((settings.BASE_DIR / prompts.FOLDER / f"{kind}.txt").read_text())
    settings.BASE_DIR = tmp_path
    return folder


def test_each_kind_is_there_from_the_start() -> None:
    assert {prompts.current(kind).label for kind in Prompt.Kind.values} == {
        "summary-1",
        "shorter-1",
        "forecast-1",
        "daily-1",
        "weekly-1",
        "monthly-1",
        "annual-1",
    }


@pytest.mark.parametrize("kind", Prompt.Kind.values)
def test_the_products_prompts_are_valid_and_ask_for_facts_in_russian(kind: str) -> None:
    prompt = prompts.current(kind)

    validate_text(prompt.text)
    filled = prompt.filled(min_chars=400, max_chars=900)
    assert "по-русски" in filled
    assert "Только факты" in filled
    # A forecast note has a form instead of a length.
    length = "не длиннее 400 знаков" if kind == Prompt.Kind.SHORTER else "от 400 до 900 знаков"
    assert (length in filled) == (kind != Prompt.Kind.FORECAST)


def test_a_second_time_changes_nothing() -> None:
    prompts.sync()

    assert versions() == [(1, True)]


def test_a_new_text_of_the_product_is_used_at_once(files: Path) -> None:
    (files / "summary.txt").write_text("Пиши короче, до $max_chars.")

    prompts.sync()

    assert versions() == [(1, False), (2, True)]
    assert prompts.current(SUMMARY).filled(min_chars=1, max_chars=9) == "Пиши короче, до 9."


def test_a_prompt_of_the_newsrooms_own_stays_in_use(files: Path) -> None:
    author = UserFactory()
    prompts.save_version(SUMMARY, "Пиши весело.", author_id=author.pk).make_current()
    author.delete()
    (files / "summary.txt").write_text("Пиши короче.")

    prompts.sync()

    assert versions() == [(1, False), (2, True), (3, False)]


def test_an_older_version_can_be_used_again() -> None:
    first = prompts.current(SUMMARY)
    prompts.save_version(SUMMARY, "Пиши весело.", author_id=None).make_current()

    first.make_current()

    assert versions() == [(1, True), (2, False)]


def test_only_one_version_is_current() -> None:
    other = prompts.save_version(SUMMARY, "Пиши весело.", author_id=None)

    with pytest.raises(IntegrityError), transaction.atomic():
        Prompt.objects.filter(pk=other.pk).update(is_current=True)


def test_a_label_leads_back_to_its_version() -> None:
    assert Prompt.labelled("summary-1") == prompts.current(SUMMARY)
    for label in ("summary-99", "summary", "", "x-1", "summary-1-1"):
        assert Prompt.labelled(label) is None


@pytest.mark.parametrize("text", ["$name", "100 $", "${max_chars", "$MAX"])
def test_a_text_with_an_unknown_placeholder_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        validate_text(text)


@pytest.mark.parametrize("text", ["", "$max_chars", "${min_chars}", "100 $$", "{% include 'x' %}"])
def test_any_other_text_is_a_prompt(text: str) -> None:
    validate_text(text)
