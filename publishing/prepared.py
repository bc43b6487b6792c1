"""Queries that are written once and asked many times: Django takes ten times longer to write the longest of them than
the database to answer it.

    next_post = Prepared(lambda: Message.objects.due(Blank("now", DateTimeField())).order_by("id")[:1])
    message = next_post.first(now=timezone.now())
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row", bound=Model)


class Blank(Expression):
    """A place in a query whose value is filled in when it is asked; the field says what kind of value that is."""

    def __init__(self, name: str, field: Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)

    def fill_in(self, values: dict[str, Any]) -> Any:
        return self.output_field.get_db_prep_value(values[self.name], connection)


class Prepared(Generic[Row]):
    """A query with blanks, whose SQL is kept for each kind of database after it was first asked."""

    def __init__(self, write: Callable[[], QuerySet[Row]]) -> None:
        self.write = write
        self.written: dict[str, tuple[type[Row], str, tuple[Any, ...]]] = {}

    def first(self, **values: Any) -> Row | None:
        """The first row of the answer, where the blanks have these values; None if there is none."""
        if connection.vendor not in self.written:
            rows = self.write()
            self.written[connection.vendor] = (rows.model, *rows.query.sql_with_params())
        model, sql, parameters = self.written[connection.vendor]
        filled = [part.fill_in(values) if isinstance(part, Blank) else part for part in parameters]
        return next(iter(model._default_manager.raw(sql, filled)), None)
