"""Databases that Django knows only while a transfer runs."""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper


def connect(alias: str, settings: dict[str, Any]) -> BaseDatabaseWrapper:
    """Give an alias its database; what this thread had open under that alias before is closed."""
    forget(alias)
    connections.databases[alias] = settings
    connections.configure_settings(connections.databases)
    return connections[alias]


def forget(alias: str) -> None:
    """Close an alias and let Django no longer know of it."""
    if alias in connections.databases:
        connections[alias].close()
        del connections[alias]
        del connections.databases[alias]
