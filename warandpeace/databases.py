"""Database URLs to Django's settings: SQLite as we want it, PostgreSQL under any of its names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ

# How long a writer waits for another on SQLite before it gives up, in seconds.
SQLITE_BUSY_TIMEOUT = 30

# WAL lets readers read while one writes; NORMAL is safe against a killed process, and in WAL against a corrupt file.
SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000; PRAGMA mmap_size=268435456;"
)


def sqlite_configuration(path: Path | str) -> dict[str, Any]:
    """The settings of a SQLite file that several processes write to: each transaction takes its lock at once."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {
            "timeout": SQLITE_BUSY_TIMEOUT,
            "transaction_mode": "IMMEDIATE",
            "init_command": SQLITE_PRAGMAS,
        },
    }


def configuration(url: str) -> dict[str, Any]:
    """Django's settings for a database URL: sqlite:///, postgres://, postgresql:// or postgresql+psycopg://.

    Raises environ.ImproperlyConfigured, without the URL's password, for any other.
    """
    try:
        return _configuration(url)
    except ValueError:
        # Without the cause, which repeats a part of the URL.
        raise environ.ImproperlyConfigured(
            "The port in the URL of a database is a number; characters like / # ? @ in a password are written as %2F."
        ) from None


def _configuration(url: str) -> dict[str, Any]:
    scheme, separator, rest = url.partition("://")
    if scheme in {"postgresql+psycopg", "postgresql", "postgres", "pgsql"} and separator:
        parsed = dict(environ.Env.db_url_config(f"postgres://{rest}"))
        return parsed | {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    if scheme == "sqlite" and separator:
        return sqlite_configuration(environ.Env.db_url_config(url)["NAME"])
    raise environ.ImproperlyConfigured(
        "The URL of a database must begin with sqlite:///, postgres://, postgresql:// or postgresql+psycopg://."
    )
