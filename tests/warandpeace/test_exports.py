"""Lists as files: what is filtered, no formula, no more than the cap, for who may see them, and written down."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from tests.factories import ArticleFactory
from tests.people import signed_in
from usage import exporting

pytestmark = pytest.mark.django_db

ARTICLES = reverse("admin:articles_article_export")


def exported(form: str, query: str = "", role: str = "editor") -> bytes:
    answer: Any = signed_in(role).post(f"{ARTICLES}?{query}", {"format": form})
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def cells_of(book: bytes) -> str:
    with zipfile.ZipFile(BytesIO(book)) as parts:
        return parts.read("xl/worksheets/sheet1.xml").decode()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "＝1"])
def test_a_text_that_would_be_a_formula_is_none_any_more(text: str) -> None:
    assert exporting.harmless(text) == f"'{text}"


@pytest.mark.parametrize("value", ["Порт = 1", -5, 3.5, None, ""])
def test_everything_else_stays_as_it_is(value: Any) -> None:
    assert exporting.harmless(value) == value


def test_csv_has_a_heading_and_harmless_rows() -> None:
    ArticleFactory(title="=HYPERLINK(1)")

    lines = exported("csv").decode("utf-8-sig").splitlines()

    assert lines[0].startswith("id,published_at,source__name,title")
    assert "'=HYPERLINK(1)" in lines[1]


def test_xlsx_has_texts_and_no_formula() -> None:
    ArticleFactory(title="=HYPERLINK(1)")

    cells = cells_of(exported("xlsx"))

    assert "=HYPERLINK(1)" in cells
    assert "<f>" not in cells


@pytest.mark.parametrize("count", [0, 2])
def test_json_is_whole_whatever_the_number_of_rows(count: int) -> None:
    ArticleFactory.create_batch(count, title="=1")

    rows = json.loads(exported("json"))

    assert [row["title"] for row in rows] == ["=1"] * count


def test_only_what_the_filters_leave_is_taken_away() -> None:
    ArticleFactory(title="да", language="ru"), ArticleFactory(title="yes", language="en")

    rows = json.loads(exported("json", "language=en"))

    assert [row["title"] for row in rows] == ["yes"]


def test_no_more_rows_than_the_cap(monkeypatch: Any) -> None:
    monkeypatch.setattr(exporting, "ROW_CAP", 2)
    ArticleFactory.create_batch(3)

    assert len(json.loads(exported("json"))) == 2


def test_who_may_not_see_the_list_gets_no_file() -> None:
    usage = reverse("admin:usage_apiusagedaily_export")

    assert signed_in("editor").post(usage, {"format": "csv"}).status_code == 403
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(("query", "form", "status"), [("", "exe", 400), ("nothing__x=1", "csv", 400)])
def test_nonsense_is_refused_in_words(query: str, form: str, status: int) -> None:
    assert signed_in("editor").post(f"{ARTICLES}?{query}", {"format": form}).status_code == status


def test_it_is_written_down_who_took_what() -> None:
    exported("csv", "language=en")

    entry = LogEntry.objects.get()

    assert (entry.user.username, entry.get_change_message()) == ("editor", "export csv language=en")


@pytest.mark.parametrize(
    "name",
    [
        "articles_article",
        "articles_deadletter",
        "publishing_publication",
        "publishing_message",
        "usage_apiusagedaily",
        "usage_apiusageevent",
    ],
)
def test_every_column_exists(name: str) -> None:
    answer: Any = signed_in("operator").post(reverse(f"admin:{name}_export"), {"format": "json"})

    assert json.loads(b"".join(answer.streaming_content)) == []


def test_the_list_offers_its_files_with_the_filters_that_are_set() -> None:
    page = signed_in("editor").get(reverse("admin:articles_article_changelist"), {"language": "en"})

    assert 'action="export/?language=en"' in page.content.decode()
