"""Targets for transfers: empty databases of our schema on the engine that the suite runs on, and on SQLite."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import models

from tests.legacy_files import build
from warandpeace.transfer.aliases import forget
from warandpeace.transfer.opening import TARGET_ALIAS, make_schema, open_target
from warandpeace.transfer.snapshot import SOURCE_ALIAS

numbers = count(1)


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


class Server:
    """PostgreSQL, where the suite runs on it: a new database is a copy of a migrated one."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.place = f"{options['USER']}@{options['HOST']}:{options['PORT']}"
        self.template = f"transfer_template_{os.getpid()}"

    def url(self, name: str) -> str:
        return f"postgres://{self.place}/{name}"

    def create(self, name: str, template: str = "template0") -> str:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Callable[[Path, str], str]:
    """Makes new databases: on the suite's engine for "server", else a file; gives their URLs."""
    options = settings.DATABASES["default"]
    on_postgres = options["ENGINE"].endswith("postgresql")
    server = Server(options) if on_postgres else None
    template = tmp_path_factory.mktemp("template") / "migrated.sqlite3"
    with django_db_blocker.unblock():
        for url in [f"sqlite:///{template}"] + ([server.create(server.template)] if server else []):
            make_schema(open_target(url))
            forget(TARGET_ALIAS)

    def make(folder: Path, kind: str) -> str:
        name = f"transfer_{os.getpid()}_{next(numbers)}"
        if server and kind == "server":
            return server.create(name, server.template)
        return f"sqlite:///{shutil.copy(template, folder / f'{name}.sqlite3')}"

    return make


@pytest.fixture
def target(migrated: Callable[[Path, str], str], tmp_path: Path) -> Database:
    """An empty database of the engine that the suite runs on."""
    return Database(migrated(tmp_path, "server"))


@pytest.fixture
def file_target(migrated: Callable[[Path, str], str], tmp_path: Path) -> Database:
    """An empty SQLite file."""
    return Database(migrated(tmp_path, "file"))


@pytest.fixture
def another(migrated: Callable[[Path, str], str], tmp_path: Path) -> Database:
    """One more empty SQLite file."""
    return Database(migrated(tmp_path, "file"))


@pytest.fixture
def legacy(tmp_path: Path) -> Path:
    """A file of the old bot's second generation with a hundred articles."""
    return build(tmp_path / "legacy.db")
