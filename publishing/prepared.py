"""Statements that are written once and asked many times: Django takes ten times longer to write one than the database
to answer it.

    next_post = Prepared(lambda: Message.objects.due(Blank("now", DateTimeField())).order_by("id")[:1])
    message = next_post.first(now=timezone.now())

    postpone = PreparedUpdate(lambda: Message.objects.filter(pk=PK), "not_before")
    is_there = postpone.run(pk=5, not_before=timezone.now())
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import BigIntegerField, Expression, Field, Model, QuerySet
from django.db.models.sql import InsertQuery, UpdateQuery
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row", bound=Model)
Written = tuple[str, tuple[Any, ...]]


class Blank(Expression):
    """A place in a statement whose value is filled in when it is asked; the field says what kind of value that is."""

    def __init__(self, name: str, field: Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)

    def fill_in(self, values: dict[str, Any], database: BaseDatabaseWrapper) -> Any:
        return self.output_field.get_db_prep_value(values[self.name], database)


# What most statements ask by.
PK = Blank("pk", BigIntegerField())


class Statement(ABC):
    """SQL with blanks, kept for each kind of database after it was first asked."""

    def __init__(self) -> None:
        self.written: dict[str, Written] = {}

    @abstractmethod
    def write(self) -> Written:
        """The SQL for the database that is connected, and its parameters, blanks among them."""

    def ask(self, cursor: CursorWrapper, values: dict[str, Any]) -> None:
        """Execute it with these values in the blanks."""
        # The connection itself: each look through Django's proxy at what it has costs as much as filling in a blank.
        database = cursor.db
        if database.vendor not in self.written:
            self.written[database.vendor] = self.write()
        sql, parameters = self.written[database.vendor]
        filled = [part.fill_in(values, database) if isinstance(part, Blank) else part for part in parameters]
        with transaction.mark_for_rollback_on_error(database.alias):
            cursor.execute(sql, filled)


class Prepared(Statement, Generic[Row]):
    """A query for rows of one model; what it annotates them with they have as attributes."""

    def __init__(self, rows: Callable[[], QuerySet[Row]]) -> None:
        super().__init__()
        self.rows = rows
        self.readers: dict[str, Reader[Row]] = {}

    def write(self) -> Written:
        rows = self.rows()
        compiler = rows.query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        self.readers[connection.vendor] = Reader.of(rows.model, compiler)
        return sql, tuple(parameters)

    def first(self, **values: Any) -> Row | None:
        """The first row of the answer, where the blanks have these values; None if there is none."""
        with connection.cursor() as cursor:
            self.ask(cursor, values)
            row = cursor.fetchone()
            return self.readers[cursor.db.vendor].read(row, cursor.db) if row else None

    def all(self, **values: Any) -> list[Row]:
        """All rows of the answer."""
        with connection.cursor() as cursor:
            self.ask(cursor, values)
            reader = self.readers[cursor.db.vendor]
            return [reader.read(row, cursor.db) for row in cursor.fetchall()]


@dataclass(frozen=True)
class Reader(Generic[Row]):
    """Makes a model's instance of what the database gives, as a query set does it."""

    model: type[Row]
    names: list[str]
    annotations: dict[str, int]
    converters: list[tuple[int, list[Callable[..., Any]], Expression]]

    @classmethod
    def of(cls, model: type[Row], compiler: SQLCompiler) -> Reader[Row]:
        """The reader of the rows that a compiler has just written a query for."""
        columns = [expression for expression, _sql, _alias in compiler.select or ()]
        converters = [(at, *found) for at, found in compiler.get_converters(columns).items()]
        annotations = compiler.annotation_col_map or {}
        names = [column.target.attname for at, column in enumerate(columns) if at not in annotations.values()]
        return cls(model, names, annotations, converters)

    def read(self, row: Sequence[Any], database: BaseDatabaseWrapper) -> Row:
        values = list(row)
        for position, converters, expression in self.converters:
            for convert in converters:
                values[position] = convert(values[position], expression, database)
        made = self.model.from_db(database.alias, self.names, values[: len(self.names)])
        for name, position in self.annotations.items():
            setattr(made, name, values[position])
        return made


class PreparedUpdate(Statement):
    """A conditional update of one table: `changes` names the fields whose values are blanks of the same name, and gives
    expressions and constants for others.
    """

    def __init__(self, rows: Callable[[], QuerySet[Any]], *blanks: str, **changes: Any) -> None:
        super().__init__()
        self.rows, self.blanks, self.changes = rows, blanks, changes

    def write(self) -> Written:
        rows = self.rows()
        blanks = {name: Blank(name, rows.model._meta.get_field(name)) for name in self.blanks}
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(blanks | self.changes)
        sql, parameters = query.get_compiler(connection=connection).as_sql()
        return sql, tuple(parameters)

    def run(self, **values: Any) -> int:
        """Write these values where the blanks are; how many rows there were."""
        with connection.cursor() as cursor:
            self.ask(cursor, values)
            return int(cursor.rowcount)


class PreparedInsert(Statement, Generic[Row]):
    """The insertion of a model's instance, without its signals."""

    def __init__(self, model: type[Row]) -> None:
        super().__init__()
        self.model = model
        self.fields = [field for field in model._meta.concrete_fields if not field.primary_key]

    def write(self) -> Written:
        query: Any = InsertQuery(self.model)
        blank = self.model(**{field.attname: Blank(field.attname, field) for field in self.fields})
        query.insert_values(self.fields, [blank], raw=True)
        compiler = query.get_compiler(connection=connection)
        compiler.returning_fields = [self.model._meta.pk]
        [(sql, parameters)] = compiler.as_sql()
        return sql, tuple(parameters)

    def run(self, row: Row) -> Row:
        """Insert it, and give it the number of its row."""
        with connection.cursor() as cursor:
            self.ask(cursor, {field.attname: getattr(row, field.attname) for field in self.fields})
            row.pk = cursor.fetchone()[0]
            row._state.adding, row._state.db = False, cursor.db.alias
        return row
