"""What is made of the rows is filled after they are proved, in the database they came into."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import DEFAULT_DB_ALIAS, connections

from articles.models import Article, BackfillRun, ChangedText, Signature
from articles.place import Place
from articles.sites.selectors import Selectors
from articles.walking import begin
from tests.transfer.conftest import Database
from warandpeace.transfer import following
from warandpeace.transfer.following import Follower
from warandpeace.transfer.models import Transfer


def test_the_index_and_the_stories_are_filled_in_the_target(legacy: Path, target: Database) -> None:
    said = target.take(legacy)

    assert not target.rows(ChangedText).exists()
    assert target.rows(Signature).count() == target.rows(Article).count()
    assert "search index:" in said
    assert "stories:" in said


def test_the_report_has_their_time_apart(legacy: Path, target: Database) -> None:
    target.take(legacy)

    followed = target.rows(Transfer).get().report["followed"]
    assert followed["stories"]["rows"] == target.rows(Article).count()
    assert followed["search index"]["seconds"] >= 0


def test_they_can_be_left_to_the_worker(legacy: Path, target: Database) -> None:
    target.take(legacy, "--without-following")

    assert target.rows(ChangedText).exists()
    assert not target.rows(Signature).exists()


def test_what_they_fill_is_not_held_against_the_proof(legacy: Path, target: Database) -> None:
    target.take(legacy)

    assert "Proved" in target.take(legacy, "--verify-only")


def test_the_configured_database_is_in_its_place_again(
    legacy: Path, target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, seen = connections[DEFAULT_DB_ALIAS], []
    spy = Follower("spy", lambda: 1, lambda advance, stop: seen.append(connections[DEFAULT_DB_ALIAS]))
    monkeypatch.setattr(following, "FOLLOWERS", (spy,))

    target.take(legacy)

    assert seen != [before]
    assert connections[DEFAULT_DB_ALIAS] is before


def test_the_old_walk_goes_on_where_it_stopped(legacy: Path, target: Database) -> None:
    target.take(legacy)
    run = target.rows(BackfillRun).get()

    place = Place.of(run.checkpoint)
    begin(run, place, Selectors())

    assert (place.page, run.pages) == (12, 12)
    assert datetime.fromisoformat(place.day).replace(tzinfo=UTC).date() > run.date_to
