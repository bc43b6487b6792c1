"""The index as the story needs it, whatever database it lies in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from articles.search.documents import Document
from articles.search.query import Query

TABLE = "articles_searchindex"
# What a search may cost, in seconds. Words that are everywhere and never side by side would cost more; what has been
# found until then is shown.
DEADLINE = 2.0

# Marks of documents (`Document.marks`), all of which an article must have.
Marks = Sequence[str]


class Index(ABC):
    """Documents by the articles' numbers. Nothing in it is the truth: it can be dropped and made anew at any time."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    @abstractmethod
    def create(self) -> None:
        """Make the empty index, unless it is there."""

    @abstractmethod
    def watch(self) -> None:
        """Let the database note each change of an article's text, unless it does."""

    @abstractmethod
    def drop(self) -> None:
        """Forget the index, and note changes no longer."""

    @abstractmethod
    def write(self, documents: Sequence[Document]) -> None:
        """Put documents in the place of what was known of their articles."""

    @abstractmethod
    def remove(self, article_ids: Collection[int]) -> None:
        """Forget articles."""

    @abstractmethod
    def matching(self, query: Query, marks: Marks, *, in_title: bool) -> tuple[str, list[Any]]:
        """SQL, with its parameters, of the articles so marked that have what is wanted (`in_title`: there)."""

    @abstractmethod
    def newest(self, query: Query, marks: Marks, *, in_title: bool, most: int) -> list[int]:
        """At most so many articles' numbers out of `matching`, the newest first. Raises django.db.OperationalError."""

    @abstractmethod
    @contextmanager
    def hurried(self) -> Iterator[None]:
        """What is asked inside ends with django.db.OperationalError once it has taken `DEADLINE`."""

    def run(self, *statements: str) -> None:
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def numbers(self, sql: str, parameters: Sequence[Any]) -> list[int]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, list(parameters))
            return [row[0] for row in cursor.fetchall()]
