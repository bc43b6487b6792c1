"""How fast words are found among a million articles, and what the index costs, on PostgreSQL and on SQLite.

The articles are invented, of twenty years, and their words as unevenly frequent as in any language. Asked for are words
that are everywhere, rare or nowhere, several at once, phrases, exclusions, and words among one source's articles; each
search reads its first page. `ROWS` says how many articles (1000000).
"""

from __future__ import annotations

import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from statistics import quantiles

import django

if __name__ == "__main__":
    scratch = Path(os.environ.get("BENCH_DIR") or tempfile.mkdtemp(prefix="warandpeace-bench-"))
    os.environ |= {"DJANGO_SETTINGS_MODULE": "warandpeace.settings", "VAR_DIR": str(scratch), "ENV_FILE": os.devnull}
    os.environ |= {"BENCH_DIR": str(scratch), "SECRET_KEY": "only-for-the-bench" * 4}
    django.setup()
    logging.disable(logging.WARNING)

from django.core.management import call_command
from django.db import connection, transaction

from articles.indexing import catch_up
from articles.models import Article, ChangedText
from articles.search.documents import Document
from articles.search.finding import index_of
from tests.factories import SourceFactory
from tests.servers import postgres

ROWS = int(os.environ.get("ROWS", "1000000"))
DISTINCT = min(ROWS, 50_000)  # texts; the others are copies of them
TITLE, BODY = 8, 120  # words
FILLED_AT_ONCE = 5_000
REALLY_INDEXED = 2_000  # texts that are read and taken apart as in daily life
SEARCHES = 40  # of each kind
SOURCES = 20
NEWEST = datetime(2026, 11, 20, tzinfo=UTC)
SPAN = timedelta(days=20 * 365)
VOCABULARY = 100_000


class Language:
    """Invented words without endings; the n-th is written about a n-th as often as the first."""

    def __init__(self) -> None:
        self.words = [str(number).translate(str.maketrans("0123456789", "бгджкмпстф")) for number in range(VOCABULARY)]
        self.weights = list(accumulate(1 / (rank + 10) for rank in range(VOCABULARY)))
        self.chance = random.Random(7)  # noqa: S311  the same texts each time

    def text(self, length: int) -> tuple[str, ...]:
        return tuple(self.chance.choices(self.words, cum_weights=self.weights, k=length))

    def queries(self) -> dict[str, Callable[[], str]]:
        """Kinds of searches, each with what makes another one of it."""
        pick = self.chance.choice
        most, many, few = self.words[:10], self.words[100:300], self.words[20_000:]
        return {
            "a word that is everywhere": lambda: pick(most),
            "a frequent word": lambda: pick(many),
            "a rare word": lambda: pick(few),
            "a word that is nowhere": lambda: f"{pick(few)}щ",
            "two frequent words": lambda: f"{pick(many)} {pick(many)}",
            "a frequent and a rare word": lambda: f"{pick(most)} {pick(few)}",
            "a phrase of words that are everywhere": lambda: f'"{pick(most)} {pick(most)}"',
            "a phrase of frequent words": lambda: f'"{pick(many)} {pick(many)}"',
            "one frequent word, not another": lambda: f"{pick(many)} -{pick(most)}",
        }


def fill(language: Language) -> None:
    sources = [SourceFactory.create(is_active=False).pk for _ in range(SOURCES)]
    write(language, sources, NEWEST, article)


def write(language: Language, sources: list[int], newest: datetime, make: Callable[[Document], Article]) -> None:
    """Articles as rows and in the index, without the notes of what has changed: that is measured by itself."""
    index = index_of(connection)
    if connection.vendor == "postgresql":
        index.run("DROP INDEX articles_searchindex_document")
    for first in range(1, DISTINCT + 1, FILLED_AT_ONCE):
        documents = [
            Document(
                pk,
                newest - SPAN * (1 - pk / DISTINCT),
                language.text(TITLE),
                language.text(BODY),
                sources[pk % len(sources)],
            )
            for pk in range(first, min(first + FILLED_AT_ONCE, DISTINCT + 1))
        ]
        with transaction.atomic():
            Article.objects.bulk_create(map(make, documents))
            index.write(documents)
    for copy in range(1, ROWS // DISTINCT):
        multiply(copy * DISTINCT)
    ChangedText.objects.all().delete()
    index.create()


def multiply(distance: int) -> None:
    """Every text once more, under other numbers."""
    columns = [
        str(field.column) for field in Article._meta.concrete_fields if field.name not in {"id", "canonical_link"}
    ]
    names = ", ".join(columns)
    of_index = "published_at, document" if connection.vendor == "postgresql" else "published_at, month, title, body"
    key = "article_id" if connection.vendor == "postgresql" else "rowid"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO articles_article (id, canonical_link, {names}) "  # noqa: S608
            f"SELECT id + {distance}, canonical_link || '-{distance}', {names} "
            f"FROM articles_article WHERE id <= {DISTINCT}"
        )
        cursor.execute(
            f"INSERT INTO articles_searchindex ({key}, {of_index}) "  # noqa: S608
            f"SELECT {key} + {distance}, {of_index} FROM articles_searchindex WHERE {key} <= {DISTINCT}"
        )


def article(document: Document) -> Article:
    return Article(
        pk=document.article_id,
        source_id=document.source_id,
        canonical_link=f"https://news.example/{document.article_id}",
        title=" ".join(document.title),
        content=" ".join(document.body),
        published_at=document.published_at,
        status=Article.Status.STORED,
    )


def indexing() -> None:
    """How many texts a second are indexed as in daily life: the newest are noted as changed and followed."""
    newest = Article.objects.order_by("-pk").values_list("pk", flat=True)[:REALLY_INDEXED]
    ChangedText.objects.bulk_create([ChangedText(article_id=pk) for pk in newest])
    began = time.perf_counter()
    done = catch_up()
    print(f"  indexed again: {done / (time.perf_counter() - began):,.0f} texts/s", flush=True)


def searching(language: Language) -> None:
    source = Article.objects.values_list("source_id", flat=True).order_by("pk")[0]
    slowest = list[float]()
    for kind, query in language.queries().items():
        spent = sorted(timed(Article.objects.all(), query()) for _ in range(SEARCHES))
        slowest += spent
        show(kind, spent)
    show("ALL OF THESE", slowest)
    of_source = Article.objects.filter(source=source)
    for kind in ("a frequent word", "a rare word"):
        show(f"{kind}, of one source", [timed(of_source, language.queries()[kind]()) for _ in range(SEARCHES)])


def timed(articles: object, query: str) -> float:
    """Milliseconds until the first page is there."""
    began = time.perf_counter()
    list(articles.search(query).defer("content", "lead", "summary_text")[:50])  # type: ignore[attr-defined]
    return (time.perf_counter() - began) * 1000


def show(kind: str, spent: list[float]) -> None:
    cuts = quantiles(spent, n=100)
    print(f"  {kind:<42}p50 {cuts[49]:7.1f} ms   p95 {cuts[94]:7.1f} ms   most {max(spent):7.1f} ms", flush=True)


def sizes() -> Iterator[tuple[str, int]]:
    """Bytes on the disk, of the articles and of the index."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for name in ("articles_article", "articles_searchindex"):
                cursor.execute("SELECT pg_total_relation_size(%s::regclass)", [name])
                yield name, cursor.fetchone()[0]
        else:
            cursor.execute("SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'articles_searchindex%%'")
            yield "articles_searchindex", cursor.fetchone()[0]


def measure() -> None:
    """On the database of the settings."""
    call_command("migrate", verbosity=0)
    language = Language()
    began = time.perf_counter()
    fill(language)
    print(f"{connection.vendor}: {ROWS:,} articles written and indexed in {time.perf_counter() - began:.0f} s")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    for name, size in sizes():
        print(f"  {name}: {size / 1e6:,.0f} MB")
    searching(language)
    indexing()


def main() -> None:
    """Measure on either database, each in a process of its own."""
    if "BENCH_DATABASE" in os.environ:
        measure()
        return
    environment = os.environ | {"BENCH_DATABASE": "1", "DATABASE_URL": ""}
    again = [sys.executable, "-m", "tests.bench.search"]
    with postgres(shared_buffers="512MB", maintenance_work_mem="256MB", synchronous_commit="off") as url:
        subprocess.run(again, env=environment | {"DATABASE_URL": url}, check=True)
    with tempfile.TemporaryDirectory(prefix="warandpeace-bench-") as folder:
        subprocess.run(again, env=environment | {"BENCH_DIR": folder}, check=True)


if __name__ == "__main__":
    main()
