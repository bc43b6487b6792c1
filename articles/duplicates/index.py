"""How a text is found among all others: signatures and the index over their bands, on either database.

Whoever places articles holds `exclusively`: of two copies that come in at once, one sees the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from heapq import nlargest
from typing import Any, cast

from django.db import connection, transaction
from psycopg import Cursor

from articles.duplicates.signing import BANDS, LEAST_AGREEMENT, VERSION, Signed, agreement
from articles.models import Signature

# A band that more articles share is a phrase that everybody uses; of so many candidates the newest are looked at.
MOST_CANDIDATES = 500
# So many of them, the closest by their sketches, are compared word by word.
MOST_COMPARED = 50

# The places of the bands in a signature, as a table for SQLite.
_PLACES = f"json_each('{list(range(BANDS))}')"

# --- writing --------------------------------------------------------------------------------------------------------


@contextmanager
def exclusively() -> Iterator[None]:
    """A transaction in which nobody else writes signatures. SQLite's transactions are all of that kind."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE articles_signature IN SHARE ROW EXCLUSIVE MODE")
        yield


def write(signatures: Mapping[int, Signed]) -> None:
    """Write the signatures of articles, in place of those they had."""
    Signature.objects.filter(pk__in=list(signatures))._raw_delete(connection.alias)
    if connection.vendor == "postgresql":
        _copy(signatures)
        return
    Signature.objects.bulk_create(
        [
            Signature(article_id=pk, version=VERSION, sketch=signed.sketch, bands=signed.bands)
            for pk, signed in signatures.items()
        ]
    )


def _copy(signatures: Mapping[int, Signed]) -> None:
    statement = "COPY articles_signature (article_id, version, sketch, bands) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cast("Cursor[Any]", cursor).copy(statement) as copy:
        copy.set_types(["int8", "int4", "bytea", "int4[]"])
        for pk, signed in signatures.items():
            copy.write_row((pk, VERSION, signed.sketch, list(signed.bands)))


# --- finding --------------------------------------------------------------------------------------------------------

# The "+ 0" keeps the planner from walking down the primary key until it has met so many: it would meet all.
NEAR_ON_POSTGRES = """
SELECT mine.article_id, other.article_id, mine.sketch, other.sketch
FROM articles_signature mine CROSS JOIN LATERAL (
  SELECT article_id, sketch FROM articles_signature
  WHERE bands && mine.bands AND version = mine.version AND article_id <> mine.article_id
  ORDER BY article_id + 0 DESC LIMIT %(most)s
) other
WHERE mine.article_id = ANY(%(articles)s) AND mine.bands <> '{}'
"""
NEAR_ON_SQLITE = f"""
WITH near AS (
  SELECT DISTINCT mine.article_id AS mine, articles_band.article_id AS other
  FROM articles_signature mine
  CROSS JOIN {_PLACES} place
  CROSS JOIN articles_band ON articles_band.band = substr(mine.bands, 4 * place.value + 1, 4)
    AND articles_band.article_id <> mine.article_id
  WHERE mine.article_id IN (SELECT value FROM json_each(%(articles)s)) AND mine.bands <> x''
), newest AS (
  SELECT mine, other, row_number() OVER (PARTITION BY mine ORDER BY other DESC) AS place FROM near
)
SELECT mine, other, one.sketch, two.sketch FROM newest
JOIN articles_signature one ON one.article_id = mine
JOIN articles_signature two ON two.article_id = other AND two.version = one.version
WHERE place <= %(most)s
"""  # noqa: S608


def near(articles: Sequence[int]) -> dict[int, list[int]]:
    """The articles whose texts may be much like those of these, by the number of each; for most there are none."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(NEAR_ON_POSTGRES, {"articles": list(articles), "most": MOST_CANDIDATES})
        else:
            cursor.execute(NEAR_ON_SQLITE, {"articles": str(list(articles)), "most": MOST_CANDIDATES})
        for mine, other, one, two in cursor:
            if (agreed := agreement(bytes(one), bytes(two))) >= LEAST_AGREEMENT:
                found[mine].append((agreed, other))
    return {mine: [other for _agreed, other in nlargest(MOST_COMPARED, others)] for mine, others in found.items()}


# --- bulk -----------------------------------------------------------------------------------------------------------


@contextmanager
def written_in_bulk() -> Iterator[None]:
    """Let PostgreSQL gather new bands and sort them into the index many at a time, for as long as this lasts."""
    if connection.vendor != "postgresql":
        yield
        return
    try:
        _tune("SET (fastupdate = on, gin_pending_list_limit = 65536)")
        yield
    finally:
        _tune("SET (fastupdate = off)")
        _tune("RESET (gin_pending_list_limit)")


def _tune(change: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER INDEX articles_signature_bands {change}")


def settle() -> None:
    """Sort what was gathered into the index: a search reads the rest from one end to the other."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT gin_clean_pending_list('articles_signature_bands')")
