"""Another database in the place of the configured one, for as long as a block lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS, connections


@contextmanager
def standing_in(settings: dict[str, Any]) -> Iterator[None]:
    """Whatever this thread asks the default database, the one with these settings answers. Not for a transaction."""
    usual, usual_settings = connections[DEFAULT_DB_ALIAS], connections.databases[DEFAULT_DB_ALIAS]
    usual.close()
    connections.databases[DEFAULT_DB_ALIAS] = settings
    connections.configure_settings(connections.databases)
    connections[DEFAULT_DB_ALIAS] = connections.create_connection(DEFAULT_DB_ALIAS)
    ContentType.objects.clear_cache()
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS].close()
        connections.databases[DEFAULT_DB_ALIAS] = usual_settings
        connections[DEFAULT_DB_ALIAS] = usual
        ContentType.objects.clear_cache()
