"""Operations for migrations of tables that may have a million rows, while people work."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import AddIndex
from django.db.migrations.state import ProjectState


class AddIndexOnline(AddIndexConcurrently):
    """An index that is made without keeping writers out, where the database can: PostgreSQL.

    Its migration must say `atomic = False`. A run that was killed leaves an index, one that PostgreSQL doesn't use; the
    next run begins by dropping it.
    """

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            schema_editor.execute(f'DROP INDEX IF EXISTS "{self.index.name}"')
            AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)
            return
        schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{self.index.name}"')
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        undo = super().database_backwards if schema_editor.connection.vendor == "postgresql" else self._drop
        undo(app_label, schema_editor, from_state, to_state)

    def _drop(self, *arguments: Any) -> None:
        AddIndex.database_backwards(self, *arguments)
