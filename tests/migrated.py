"""Databases with today's schema, as copies: migrating an empty one takes ten seconds, copying it a tenth of one.

The first process of a run that needs one makes the model, on the suite's engine or as a file; all processes copy it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from psycopg.sql import SQL, Identifier

from tests.settings import SCRATCH

ROOT = Path(__file__).parents[1]
MODEL = "migrated"
numbers = count(1)


def new_file(folder: Path) -> str:
    """The URL of a new SQLite file in a folder."""
    return f"sqlite:///{_copied(folder / f'{_new_name()}.sqlite3')}"


def new_database(folder: Path) -> str:
    """The URL of a new database on the engine that the suite runs on; a file of it is in the folder."""
    return _created(_new_name()) if is_on_server() else new_file(folder)


def is_on_server() -> bool:
    """Whether the suite runs on PostgreSQL."""
    return bool(settings.DATABASES["default"]["ENGINE"].endswith("postgresql"))


def make_suites_own() -> None:
    """Make the database that Django's settings name for this process's tests."""
    database: dict[str, Any] = settings.DATABASES["default"]
    name = database["TEST"].get("NAME") or f"test_{database['NAME']}"
    if is_on_server():
        _created(name)
    else:
        _copied(Path(name))


def _new_name() -> str:
    return f"migrated_{os.getpid()}_{next(numbers)}"


def _copied(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    model = SCRATCH.parent / f"{MODEL}.sqlite3"
    with _one_at_a_time():
        if not model.exists():
            unfinished = model.with_suffix(".unfinished")
            _migrate(f"sqlite:///{unfinished}")
            unfinished.rename(model)
    return Path(shutil.copy(model, file))


def _created(name: str) -> str:
    options = settings.DATABASES["default"]
    place = f"postgres://{options['USER']}@{options['HOST']}:{options['PORT']}"
    with _one_at_a_time(), psycopg.connect(f"{place}/postgres", autocommit=True) as server:
        if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [MODEL]).fetchone():
            unfinished = f"unfinished_{os.getpid()}"
            server.execute(SQL("CREATE DATABASE {}").format(Identifier(unfinished)))
            _migrate(f"{place}/{unfinished}")
            server.execute(SQL("ALTER DATABASE {} RENAME TO {}").format(Identifier(unfinished), Identifier(MODEL)))
        server.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))
        server.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(MODEL)))
    return f"{place}/{name}"


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with (SCRATCH.parent / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _migrate(url: str) -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "TEST_DATABASE_URL": url}
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=ROOT, env=environment, check=True)
