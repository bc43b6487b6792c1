"""A row in quarantine is put right in its file and given back: it is taken over, counted, and stays right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from articles.models import Article, Source
from tests.legacy_files import change
from tests.transfer.conftest import Database
from warandpeace.transfer.models import CorrectedRow, QuarantinedRow, Transfer


@pytest.fixture
def spoiled(legacy: Path) -> Path:
    """A file in which one article has a date that is none, and another a title that is no text."""
    return change(
        legacy,
        "UPDATE articles SET published_at = 'вчера' WHERE id = 5",
        "UPDATE articles SET title = CAST(x'fffe' AS TEXT) WHERE id = 6",
    )


def quarantine(said: str) -> Path:
    """The file that a transfer has named."""
    return Path(said.partition("original values: ")[2].partition("\n")[0])


def edited(path: Path, key: str, **values: Any) -> Path:
    """The file with one of its rows put right."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if line["key"] == key and line["table"] == "articles":
            line["original"] |= values
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def test_a_row_put_right_is_taken_over(spoiled: Path, target: Database) -> None:
    path = quarantine(target.take(spoiled))

    said = target.take(spoiled, "--retry-quarantine", str(edited(path, "5", published_at="2025-09-01T10:00:00")))

    assert target.rows(Article).get(pk=5).published_at.isoformat() == "2025-09-01T07:00:00+00:00"
    assert target.rows(QuarantinedRow).filter(stream="articles").get().source_key == "6"
    assert "articles: 1 put right by hand" in said
    assert "Proved" in said


def test_bytes_that_were_no_text_are_put_right_as_text(spoiled: Path, target: Database) -> None:
    path = quarantine(target.take(spoiled))

    target.take(spoiled, "--retry-quarantine", str(edited(path, "6", title="Порт открыт")))

    assert target.rows(Article).get(pk=6).title == "Порт открыт"


def test_it_stays_right_in_every_later_run(spoiled: Path, target: Database) -> None:
    path = quarantine(target.take(spoiled))
    target.take(spoiled, "--retry-quarantine", str(edited(path, "5", published_at="2025-09-01")))

    again, verified = target.take(spoiled), target.take(spoiled, "--verify-only")

    assert "articles: 1 put right by hand" in again
    assert "Proved" in verified
    assert target.rows(Article).filter(pk=5).exists()
    assert not target.rows(QuarantinedRow).filter(stream="articles", source_key="5").exists()


def test_the_report_counts_what_was_put_right(spoiled: Path, target: Database) -> None:
    path = quarantine(target.take(spoiled))

    target.take(spoiled, "--retry-quarantine", str(edited(path, "5", published_at="2025-09-01")))

    assert target.rows(Transfer).latest("pk").report["tables"]["articles"]["corrected"] == 1
    assert target.rows(CorrectedRow).get().values == {"published_at": "2025-09-01"}


def test_a_file_that_nobody_has_edited_changes_nothing(spoiled: Path, target: Database) -> None:
    path = quarantine(target.take(spoiled))

    said = target.take(spoiled, "--retry-quarantine", str(path))

    assert "0 rows are put right" in said
    assert not target.rows(CorrectedRow).exists()


def test_a_correction_that_does_not_fit_either_goes_to_quarantine(spoiled: Path, target: Database) -> None:
    path = quarantine(target.take(spoiled))

    said = target.take(spoiled, "--retry-quarantine", str(edited(path, "5", published_at="позавчера")))

    assert "quarantine: articles 5: published_at is no date: 'позавчера'" in said
    assert "Proved" in said


def test_a_row_put_right_to_another_articles_address_is_merged_with_it(spoiled: Path, target: Database) -> None:
    path = quarantine(target.take(spoiled))
    twin = target.rows(Article).get(pk=9).canonical_link
    right = edited(path, "5", published_at="2020-01-01T00:00:00+00:00", canonical_link=twin)

    said = target.take(spoiled, "--retry-quarantine", str(right))

    assert "Proved" in said
    assert target.rows(Article).filter(canonical_link=twin).count() == 1


def test_a_rehearsal_takes_the_corrections_too(spoiled: Path, target: Database) -> None:
    path = quarantine(target.take(spoiled))

    right = edited(path, "5", published_at="2025-09-01")

    assert "articles 5" not in target.take(spoiled, "--dry-run", "--retry-quarantine", str(right))
    assert not target.rows(CorrectedRow).exists()


def test_a_row_of_our_own_database_is_put_right(file_target: Database, another: Database) -> None:
    source = Source(pk=1, slug="s", name="S", url="https://news.example/")
    file_target.rows(Source).bulk_create([source])
    values = {"source": source, "url": "u", "canonical_link": "https://a.example/", "published_at": "2025-01-01T00:00Z"}
    file_target.rows(Article).bulk_create([Article(title="t\0", **values)])
    path = quarantine(another.take(file_target))
    right = path.read_text().replace(json.dumps({"hex": "7400"}), '"t"')
    path.write_text(right)

    another.take(file_target, "--retry-quarantine", str(path))

    assert another.rows(Article).get().title == "t"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[]", "line 1: this is no row of a quarantine"),
        ('{"table": "recipes", "key": "1", "original": {}}', "line 1: the source has no table recipes"),
        ('{"table": "articles", "key": "1", "original": {"taste": 1}}', "line 1: articles has no column taste"),
    ],
)
def test_a_line_that_says_nothing_is_named(
    spoiled: Path, target: Database, tmp_path: Path, line: str, reason: str
) -> None:
    path = tmp_path / "wrong.jsonl"
    path.write_text(line)

    with pytest.raises(CommandError, match=reason):
        target.take(spoiled, "--retry-quarantine", str(path))
