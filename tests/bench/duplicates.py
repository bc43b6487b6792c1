"""How fast a copy is found: a rebuild of an old newsroom's articles, one new article against a million, and the curve.

    python -m tests.bench.duplicates [--articles 158599] [--million 1000000] [--only curve,sqlite,postgres]

The texts are invented: words by Zipf's law, a tenth with one of a few usual last sentences, and every seventh a copy of
an earlier one with some words changed. Beyond the articles of the rebuild there are signatures only, of random hashes.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from struct import unpack

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from articles.duplicates import index, place_due, rebuild, signing  # noqa: E402
from articles.models import Article, Signature, Source, Story  # noqa: E402
from tests.articles import invented_news  # noqa: E402
from tests.articles.duplicate_pairs import score  # noqa: E402
from tests.factories import SourceFactory  # noqa: E402
from tests.servers import postgres  # noqa: E402

ARTICLES = 158_599
MILLION = 1_000_000
CHECKS = 400
WORDS = 200
DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))

FOREIGN_KEYS = {"postgresql": "SET session_replication_role =", "sqlite": "PRAGMA foreign_keys ="}
# Numbers that no article has.
BEYOND = 1_000_000_000

USUAL = [invented_news.text(number, 14) for number in range(6)]


class News:
    """Invented articles, the same ones each time."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  the same news each time
        syllables = random.Random(1)  # noqa: S311
        self._words = [
            "".join(syllables.choices(invented_news.SYLLABLES, k=syllables.randint(1, 4))) for _ in range(30_000)
        ]
        self._weights = list(accumulate(1 / (rank + 10) for rank in range(len(self._words))))
        self._earlier: list[str] = []

    def text(self) -> str:
        chance = self._random.random()
        if self._earlier and chance < 1 / 7:
            return self.copy(self._random.choice(self._earlier))
        text = " ".join(self._random.choices(self._words, cum_weights=self._weights, k=WORDS))
        if chance > 0.9:
            text += f" {self._random.choice(USUAL)}"
        if len(self._earlier) < 20_000:
            self._earlier.append(text)
        return text

    def copy(self, text: str) -> str:
        """The text with some of its words replaced, up to one in ten."""
        words = text.split()
        for place in self._random.sample(range(len(words)), self._random.randint(0, len(words) // 10)):
            words[place] = self._random.choice(self._words)
        return " ".join(words)


def portions(first: int, end: int) -> Iterator[range]:
    return (range(start, min(start + 5_000, end)) for start in range(first, end, 5_000))


def fill(articles: int, source: Source) -> None:
    """Articles as a transfer would load them: nothing of duplicates is known yet."""
    news, now = News(1), timezone.now()
    for some in portions(0, articles):
        rows = []
        for number in some:
            text = news.text()
            link = f"https://news.example/{number}"
            rows.append(
                Article(
                    source=source,
                    url=link,
                    canonical_link=link,
                    title=text[:80],
                    content=text,
                    content_hash=sha256(text.encode()).hexdigest(),
                    published_at=now,
                    status=Article.Status.STORED,
                )
            )
        Article.objects.bulk_create(rows)


def measure_rebuild(articles: int) -> None:
    began, worked = time.perf_counter(), time.process_time()
    done = rebuild()
    taken, worked = time.perf_counter() - began, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{connection.vendor}: rebuild of {done.articles:,}: {taken:.0f} s ({done.articles / taken:,.0f}/s),"
        f" {worked:.0f} s of them in Python, at a load of {os.getloadavg()[0]:.0f};"
        f" {done.copies:,} copies in {Story.objects.count():,} stories, peak {peak:,.0f} MB,"
        f" {stored() / articles:,.0f} bytes an article",
        flush=True,
    )


def stored() -> int:
    """Bytes of the signatures with their indexes."""
    with connection.cursor() as cursor:
        if is_server():
            cursor.execute("SELECT pg_total_relation_size('articles_signature')")
        else:
            cursor.execute("SELECT sum(pgsize) FROM dbstat WHERE name IN ('articles_signature', 'articles_band')")
        size: int = cursor.fetchone()[0]
    return size


def fill_up(to: int) -> None:
    """Signatures of random hashes, up to so many altogether, of articles that aren't there."""
    hashes, begun = random.Random(2), Signature.objects.count()  # noqa: S311
    with connection.cursor() as cursor, index.written_in_bulk():
        cursor.execute(f"{FOREIGN_KEYS[connection.vendor]} {'replica' if is_server() else 'off'}")
        for some in portions(begun, to):
            with transaction.atomic():
                digests = (unpack("<64I", hashes.randbytes(256)) for _number in some)
                index.write(
                    {BEYOND + number: signing.of_hashes(each) for number, each in zip(some, digests, strict=True)}
                )
                index.settle()
        cursor.execute(f"{FOREIGN_KEYS[connection.vendor]} {'origin' if is_server() else 'on'}")
        cursor.execute("ANALYZE")


def is_server() -> bool:
    return connection.vendor == "postgresql"


def measure_checks(source: Source) -> None:
    """One new article at a time, from the row that is due to its story, with all that is written."""
    # The first articles of the rebuild come again, with changes, and between them new ones.
    known, new, taken, copies = News(1), News(3), list[float](), 0
    for number in range(CHECKS):
        text = known.copy(known.text()) if number % 2 else new.text()
        link, now = f"https://news.example/new/{number}", timezone.now()
        article = Article.objects.create(
            source=source, url=link, canonical_link=link, title=text[:80], content=text, published_at=now,
            content_hash=sha256(text.encode()).hexdigest(), status=Article.Status.STORED, compare_at=now,
        )  # fmt: skip
        began = time.perf_counter()
        place_due(article.pk)
        taken.append((time.perf_counter() - began) * 1000)
        copies += Article.objects.filter(pk=article.pk, story__isnull=False).exists()
    taken, all_of_them = sorted(taken[20:]), Signature.objects.count()
    print(
        f"{connection.vendor}: one new article against {all_of_them:,}: p50 {statistics.median(taken):.1f} ms,"
        f" p95 {taken[int(len(taken) * 0.95)]:.1f} ms, worst {taken[-1]:.1f} ms; {copies} of {CHECKS} were copies;"
        f" load {os.getloadavg()[0]:.0f}",
        flush=True,
    )


def curve() -> None:
    """How surely two texts that share so much come to be compared, by 2,000 random pairs of sets each."""
    chance = random.Random(4)  # noqa: S311
    for percent in (1, 5, 10, 20, 30, 35, 40, 50, 60):
        both = [similar_sets(percent / 100, chance) for _pair in range(2_000)]
        signed = [signing.sign(pair) for pair in both]
        in_band = sum(not set(one.bands).isdisjoint(other.bands) for one, other in signed)
        close = sum(
            not set(one.bands).isdisjoint(other.bands)
            and signing.agreement(one.sketch, other.sketch) >= signing.LEAST_AGREEMENT
            for one, other in signed
        )
        print(f"sharing {percent:2} %: {in_band / 20:5.1f} % have a band in common, {close / 20:5.1f} % are compared")
    for half in ("dev", "held-out"):
        print(f"labelled pairs, {half}: {score(half)}", flush=True)


def similar_sets(jaccard: float, chance: random.Random, size: int = 200) -> list[list[str]]:
    """Two sets of so many members that share so much of their union."""
    shared = round(2 * size * jaccard / (1 + jaccard))
    members = [str(chance.getrandbits(64)) for _ in range(2 * size - shared)]
    return [members[:size], members[size - shared :]]


@contextmanager
def database() -> Iterator[Source]:
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    yield SourceFactory()
    connection.creation.destroy_test_db(name, verbosity=0)


def measure(articles: int, million: int) -> None:
    with database() as source:
        fill(articles, source)
        measure_rebuild(articles)
        fill_up(million)
        measure_checks(source)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=ARTICLES)
    parser.add_argument("--million", type=int, default=MILLION)
    parser.add_argument("--only", default="curve,sqlite,postgres")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        measure(options.articles, options.million)
        return
    sizes = ["--here", "--articles", str(options.articles), "--million", str(options.million)]
    command = [sys.executable, "-m", "tests.bench.duplicates", *sizes]
    chosen = options.only.split(",")
    if "curve" in chosen:
        curve()
    if "sqlite" in chosen:
        subprocess.run(command, check=True)
    if "postgres" in chosen:
        if DEBIAN:
            os.environ.setdefault("POSTGRES_BINARIES", str(DEBIAN[-1]))
        with postgres() as url:
            subprocess.run(command, env=os.environ | {"TEST_DATABASE_URL": url}, check=True)


if __name__ == "__main__":
    main()
