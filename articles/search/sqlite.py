"""The index in SQLite: an FTS5 table of stems. SQLite only has to part them at the spaces.

The triggers are plain SQL: any program may write into the file.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice, product
from typing import Any

from articles.search.documents import Document
from articles.search.index import DEADLINE, TABLE, Index, Marks
from articles.search.query import Phrase, Query

# `month` holds all marks of the document. The ascii tokenizer takes everything beyond ASCII for letters,
# which is right for stems.
CREATE = (
    f"CREATE VIRTUAL TABLE IF NOT EXISTS {TABLE} "
    "USING fts5(published_at UNINDEXED, month, title, body, tokenize = 'ascii')"
)
TEXTS = ("title", "lead", "content", "summary_text", "topic", "published_at", "source_id")
CHANGED = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in TEXTS)
NOTE = "BEGIN INSERT INTO articles_changedtext (article_id) VALUES ({row}.id); END"
WATCH = (
    f"CREATE TRIGGER IF NOT EXISTS articles_text_added AFTER INSERT ON articles_article {NOTE.format(row='NEW')}",
    f"CREATE TRIGGER IF NOT EXISTS articles_text_gone AFTER DELETE ON articles_article {NOTE.format(row='OLD')}",
    f"""CREATE TRIGGER IF NOT EXISTS articles_text_changed AFTER UPDATE OF {", ".join(TEXTS)} ON articles_article
    WHEN {CHANGED} {NOTE.format(row="NEW")}""",
)
DROP = (
    "DROP TRIGGER IF EXISTS articles_text_added",
    "DROP TRIGGER IF EXISTS articles_text_gone",
    "DROP TRIGGER IF EXISTS articles_text_changed",
    f"DROP TABLE IF EXISTS {TABLE}",
)
# FTS5 has no alternatives inside of a phrase: so many combinations of its words' stems are looked for.
MOST_COMBINATIONS = 256
# How many steps of its machine SQLite takes between two looks at the clock.
STEPS = 10_000


class SqliteIndex(Index):
    def create(self) -> None:
        self.run(CREATE)

    def watch(self) -> None:
        self.run(*WATCH)

    def drop(self) -> None:
        self.run(*DROP)

    def write(self, documents: Sequence[Document]) -> None:
        self.remove([each.article_id for each in documents])
        rows = [
            (each.article_id, each.published_at.timestamp(), " ".join(each.marks), *_texts(each)) for each in documents
        ]
        with self.connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {TABLE} (rowid, published_at, month, title, body) VALUES (%s, %s, %s, %s, %s)",  # noqa: S608
                rows,
            )

    def remove(self, article_ids: Collection[int]) -> None:
        with self.connection.cursor() as cursor:
            cursor.executemany(f"DELETE FROM {TABLE} WHERE rowid = %s", [(each,) for each in article_ids])  # noqa: S608

    def matching(self, query: Query, marks: Marks, *, in_title: bool) -> tuple[str, list[Any]]:
        parameters = list[Any]([match(query, marks, in_title=in_title)])
        where = f"{TABLE} MATCH %s"
        if not query.wanted and not marks:
            # FTS5 knows "this without that", but not "everything without that".
            where, parameters = f"rowid NOT IN (SELECT rowid FROM {TABLE} WHERE {where})", [_unwanted(query)]  # noqa: S608
        return f"SELECT rowid FROM {TABLE} WHERE {where}", parameters  # noqa: S608

    def newest(self, query: Query, marks: Marks, *, in_title: bool, most: int) -> list[int]:
        sql, parameters = self.matching(query, marks, in_title=in_title)
        return self.numbers(f"{sql} ORDER BY published_at DESC, rowid DESC LIMIT {most}", parameters)

    @contextmanager
    def hurried(self) -> Iterator[None]:
        until = time.monotonic() + DEADLINE
        self.connection.ensure_connection()
        self.connection.connection.set_progress_handler(lambda: time.monotonic() > until, STEPS)
        try:
            yield
        finally:
            self.connection.connection.set_progress_handler(None, 0)


def _texts(document: Document) -> tuple[str, str]:
    return " ".join(document.title), " ".join(document.body)


def match(query: Query, marks: Marks, *, in_title: bool) -> str:
    """A query as FTS5 reads it, among the articles with these marks. Each stem is quoted: none is an operator."""
    columns = "{title}" if in_title else "{title body}"
    parts = [f"{columns} : ({_phrase(phrase)})" for phrase in query.wanted]
    parts += [f'month : "{mark}"' for mark in marks]
    wanted = " AND ".join(parts)
    return f"({wanted}) NOT ({_unwanted(query)})" if query.unwanted else wanted


def _unwanted(query: Query) -> str:
    return " OR ".join(f"{{title body}} : ({_phrase(phrase)})" for phrase in query.unwanted)


def _phrase(phrase: Phrase) -> str:
    combinations = islice(product(*phrase), MOST_COMBINATIONS)
    return " OR ".join('"' + " ".join(stems) + '"' for stems in combinations)
