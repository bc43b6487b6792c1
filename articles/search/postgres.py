"""The index in PostgreSQL: a table beside the articles, with a tsvector under GIN.

It is no column of the article itself: every claim of an article would then write all its words into the GIN index
anew. Beside its words the document has what GIN alone can tell by then, without reading a row: each word of the title a
second time, as `=word`; what is known of the article, as `@mark`; and the number of each two words that stand side by
side, as `~number`. GIN knows no places: without these numbers a phrase would be looked for in the document of each
article that has all of its words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise, product
from typing import Any

from django.db import transaction

from articles.search.documents import Document, pair
from articles.search.index import DEADLINE, TABLE, Index, Marks
from articles.search.query import Phrase, Query

TEXTS = "title, lead, content, summary_text, topic, published_at, source_id"
CHANGED = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in TEXTS.split(", "))

CREATE = (
    f"""CREATE TABLE IF NOT EXISTS {TABLE}
    (article_id bigint PRIMARY KEY, published_at timestamptz NOT NULL, document tsvector NOT NULL)""",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_document ON {TABLE} USING gin (document)",
    # Without counts of words the planner takes each for a rare one: the safe mistake. And ANALYZE is quick.
    f"ALTER TABLE {TABLE} ALTER COLUMN document SET STATISTICS 0",
)
# A whole statement's rows are noted at once: a bulk load hardly feels it.
WATCH = (
    """CREATE OR REPLACE FUNCTION articles_texts_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO articles_changedtext (article_id) SELECT id FROM changed; RETURN NULL; END $$""",
    """CREATE OR REPLACE FUNCTION articles_text_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO articles_changedtext (article_id) VALUES (NEW.id); RETURN NULL; END $$""",
    f"""CREATE OR REPLACE FUNCTION articles_texts_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN TRUNCATE {TABLE}; RETURN NULL; END $$""",
    """CREATE OR REPLACE TRIGGER articles_texts_added AFTER INSERT ON articles_article
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION articles_texts_changed()""",
    """CREATE OR REPLACE TRIGGER articles_texts_gone AFTER DELETE ON articles_article
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION articles_texts_changed()""",
    f"""CREATE OR REPLACE TRIGGER articles_text_changed AFTER UPDATE OF {TEXTS} ON articles_article
    FOR EACH ROW WHEN ({CHANGED}) EXECUTE FUNCTION articles_text_changed()""",
    """CREATE OR REPLACE TRIGGER articles_texts_emptied AFTER TRUNCATE ON articles_article
    FOR EACH STATEMENT EXECUTE FUNCTION articles_texts_emptied()""",
)
DROP = (
    "DROP FUNCTION IF EXISTS articles_texts_changed() CASCADE",
    "DROP FUNCTION IF EXISTS articles_text_changed() CASCADE",
    "DROP FUNCTION IF EXISTS articles_texts_emptied() CASCADE",
    f"DROP TABLE IF EXISTS {TABLE}",
)

NEWEST_FIRST = "ORDER BY published_at DESC, article_id DESC"
# Two words with more stems than these together are too many pairs to be worth a look.
MOST_PAIRS = 32


class PostgresIndex(Index):
    def create(self) -> None:
        self.run(*CREATE)

    def watch(self) -> None:
        self.run(*WATCH)

    def drop(self) -> None:
        self.run(*DROP)

    def write(self, documents: Sequence[Document]) -> None:
        columns = (
            [each.article_id for each in documents],
            [each.published_at for each in documents],
            [tsvector(each) for each in documents],
        )
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"""INSERT INTO {TABLE} (article_id, published_at, document)
                SELECT id, at, words::tsvector
                FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[]) AS documents (id, at, words)
                ON CONFLICT (article_id)
                DO UPDATE SET published_at = EXCLUDED.published_at, document = EXCLUDED.document""",  # noqa: S608
                [list(column) for column in columns],
            )

    def remove(self, article_ids: Collection[int]) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {TABLE} WHERE article_id = ANY(%s)", [list(article_ids)])  # noqa: S608

    def matching(self, query: Query, marks: Marks, *, in_title: bool) -> tuple[str, list[Any]]:
        sql = f"SELECT article_id FROM {TABLE} WHERE document @@ %s::tsquery"  # noqa: S608
        return sql, [tsquery(query, marks, in_title=in_title)]

    def newest(self, query: Query, marks: Marks, *, in_title: bool, most: int) -> list[int]:
        sql, parameters = self.matching(query, marks, in_title=in_title)
        if query.wants_phrase:
            # GIN's candidates are put in order before their documents are looked into: so only the newest are.
            candidates = f"SELECT * FROM {TABLE} WHERE document @@ %s::tsquery {NEWEST_FIRST} OFFSET 0"  # noqa: S608
            sql = f"SELECT article_id FROM ({candidates}) candidates WHERE document @@ %s::tsquery"  # noqa: S608
            parameters.insert(0, tsquery(query, marks, in_title=in_title, roughly=True))
        return self.numbers(f"{sql} {NEWEST_FIRST} LIMIT {most}", parameters)

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """Also, the table is never read through: its texts lie apart, so it looks smaller than it is to the planner."""
        names = ("statement_timeout", "enable_seqscan")
        with transaction.atomic(self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute("SELECT current_setting(%s), current_setting(%s)", names)
            timeout, seqscan = cursor.fetchone()
            cursor.execute(SET, [names[0], f"{int(DEADLINE * 1000)}", names[1], "off"])
            yield
            cursor.execute(SET, [names[0], timeout, names[1], seqscan])


# For this transaction only, and gone with it if it fails.
SET = "SELECT set_config(%s, %s, true), set_config(%s, %s, true)"


def tsvector(document: Document) -> str:
    """A document as PostgreSQL reads it. Stems are letters and digits only: nothing in them needs to be escaped."""
    words = [f"'@{mark}'" for mark in document.marks]
    words += [_pair(number) for number in document.pairs]
    words += [f"'={stem}':{_places(places)}" for stem, places in document.title_positions.items()]
    words += [f"'{stem}':{_places(places)}" for stem, places in document.positions.items()]
    return " ".join(words)


def _places(places: list[int]) -> str:
    return ",".join(map(str, places))


def tsquery(query: Query, marks: Marks, *, in_title: bool, roughly: bool = False) -> str:
    """A query as PostgreSQL reads it, among the articles with these marks.

    `roughly` is what GIN can tell by itself: all of them, and some in which the words don't stand side by side.
    """
    place = "=" if in_title else ""
    unwanted = [phrase for phrase in query.unwanted if not roughly or len(phrase) == 1]
    parts = [_phrase(phrase, place, roughly) for phrase in query.wanted]
    parts += [f"!{_phrase(phrase, '', roughly)}" for phrase in unwanted]
    parts += [f"'@{mark}'" for mark in marks]
    return " & ".join(parts)


def _phrase(phrase: Phrase, place: str, roughly: bool) -> str:
    side_by_side = " & " if roughly else " <-> "
    words = side_by_side.join(_any_of(f"'{place}{stem}'" for stem in stems) for stems in phrase)
    few = [two for two in pairwise(phrase) if len(two[0]) * len(two[1]) <= MOST_PAIRS]
    pairs = [_any_of({_pair(pair(*stems)) for stems in product(*two)}) for two in few]
    return f"({' & '.join([words, *pairs])})"


def _pair(number: int) -> str:
    return f"'~{number:x}'"


def _any_of(lexemes: Iterable[str]) -> str:
    return f"({'|'.join(lexemes)})"
