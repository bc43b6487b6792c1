"""Targets for transfers: empty databases of our schema on the engine that the suite runs on, and on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import models

from tests import migrated
from tests.legacy_files import build
from warandpeace.transfer.aliases import forget
from warandpeace.transfer.opening import TARGET_ALIAS, open_target
from warandpeace.transfer.snapshot import SOURCE_ALIAS


@dataclass(frozen=True)
class Database:
    """A database that transfers may come into or go out of."""

    url: str

    def take(self, source: Path | Database, *arguments: str) -> str:
        """Run the command with this database as its target; gives what it said."""
        said = StringIO()
        where = source.url if isinstance(source, Database) else str(source)
        call_command("transfer", "--from", where, "--to", self.url, *arguments, stdout=said, stderr=said)
        return said.getvalue()

    def rows(self, model: type[models.Model]) -> models.QuerySet[Any]:
        open_target(self.url)
        return model._base_manager.using(TARGET_ALIAS).order_by("pk")

    def values(self, model: type[models.Model]) -> list[dict[str, Any]]:
        return list(self.rows(model).values())


@pytest.fixture(autouse=True)
def databases_of_their_own(django_db_blocker: Any) -> Iterator[None]:
    """These tests make the databases they need; the suite's own one is not touched."""
    with django_db_blocker.unblock():
        yield
        forget(TARGET_ALIAS)
        forget(SOURCE_ALIAS)


@pytest.fixture
def target(tmp_path: Path) -> Database:
    """An empty database of the engine that the suite runs on."""
    return Database(migrated.new_database(tmp_path))


@pytest.fixture
def file_target(tmp_path: Path) -> Database:
    """An empty SQLite file."""
    return Database(migrated.new_file(tmp_path))


@pytest.fixture
def another(tmp_path: Path) -> Database:
    """One more empty SQLite file."""
    return Database(migrated.new_file(tmp_path))


@pytest.fixture
def legacy(tmp_path: Path) -> Path:
    """A file of the old bot's second generation with a hundred articles."""
    return build(tmp_path / "legacy.db")
