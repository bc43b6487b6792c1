"""The two databases, as far as backups must know them."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from warandpeace.backups.engines.base import Engine
from warandpeace.backups.engines.postgres import PostgresEngine
from warandpeace.backups.engines.sqlite import SqliteEngine

__all__ = ["Engine", "configured", "engine_of"]

ENGINES: dict[str, type[Engine]] = {"postgresql": PostgresEngine, "sqlite3": SqliteEngine}


def engine_of(settings: dict[str, Any]) -> Engine:
    """The engine of a database as Django's settings have it."""
    return ENGINES[str(settings["ENGINE"]).rpartition(".")[2]](settings)


def configured() -> Engine:
    """The database that this installation works with."""
    return engine_of(connections[DEFAULT_DB_ALIAS].settings_dict)
