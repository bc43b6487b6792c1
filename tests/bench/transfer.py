"""How fast a whole old file comes into PostgreSQL, proved, beside raw COPY, pgloader and the scripts one would write.

    python -m tests.bench.transfer [--rows 158599 | --file old.db] [--only ours,copy,…]

One session, one private server with default settings, one file; whole processes are timed, and the peak memory of each
with its children (proportional set size, a fifth of a second between two looks). Ratios are to `ours`, which proves
every row in the target; nobody else does.

ours        `manage.py transfer --without-following`
copy        the rows that `ours` has written, as ready binary files, by COPY into the same stripped tables with the
            same compression (lz4 where the server has it), and their indexes: what no conversion can beat
pgloader    Debian's package into its own tables, as its user is told when it has run out of memory with its defaults:
            10,000 rows a batch and ahead. The server is the same with the same settings; it compresses as the server
            does by default (pglz), for pgloader makes its tables itself. It exits with 0 though it has lost a key
tuned       pgloader with the batches that were found to suit it best here, which no page of its manual tells
script      the old transfer script's way: rows of articles by executemany, a thousand a transaction
bulk        Django's bulk_create, articles only
following   the search index and the stories, which the other figures leave out: the second figure
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import django
import psycopg

if __name__ == "__main__":
    os.environ |= {"DJANGO_SETTINGS_MODULE": "warandpeace.settings", "ENV_FILE": os.devnull}
    os.environ.setdefault("VAR_DIR", tempfile.mkdtemp(prefix="warandpeace-bench-"))
    os.environ.setdefault("SECRET_KEY", "only-for-the-bench" * 4)
    django.setup()

from articles.models import Article, Source
from tests.legacy_files import build
from tests.servers import postgres
from warandpeace.transfer.opening import open_target
from warandpeace.transfer.own import own_tables

ROWS = 158_599
DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
TABLES = (
    "articles_source",
    "publishing_channel",
    "articles_article",
    "articles_summary",
    "publishing_publication",
    "usage_apiusageevent",
)
LOAD = """LOAD DATABASE FROM sqlite://{file} INTO {url}
WITH include drop, create tables, create indexes, reset sequences, {batches};
"""
AS_TOLD = "batch rows = 10000, prefetch rows = 10000"
TUNED = "workers = 2, concurrency = 1, batch rows = 500, batch size = 2 MB, prefetch rows = 500"
CONTENDERS = ("ours", "copy", "pgloader", "tuned", "script", "bulk", "following")
SECONDS_BETWEEN_LOOKS = 0.2
Figures = tuple[float, float]


@dataclass
class Bench:
    server: str
    folder: Path
    file: Path

    def database(self, name: str, *, migrated: bool = True) -> str:
        """A new database; gives its URL."""
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        url = self.server.rsplit("/", 1)[0] + f"/{name}"
        if migrated:
            self.run([sys.executable, "manage.py", "migrate", "-v", "0"], url)
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        return url

    def run(self, command: list[str], url: str = "") -> Figures:
        """Seconds and peak megabytes of a whole process and its children. Raises CalledProcessError."""
        environment = os.environ | {"DATABASE_URL": url, "VAR_DIR": str(self.folder / "var"), "ENV_FILE": os.devnull}
        began = time.perf_counter()
        with (self.folder / "said").open("w") as said:
            process, peak = subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT), 0.0
            while True:
                try:
                    process.wait(SECONDS_BETWEEN_LOOKS)
                    break
                except subprocess.TimeoutExpired:
                    peak = max(peak, megabytes(process.pid))
        if process.returncode:
            print((self.folder / "said").read_text()[-2000:])
            raise subprocess.CalledProcessError(process.returncode, command)
        return time.perf_counter() - began, peak

    def ours(self) -> Figures:
        url = self.database("ours")
        return self.run([*self.transfer(url), "--without-following"])

    def following(self) -> Figures:
        """The rows are there: what is left to do is what follows from them."""
        return self.run(self.transfer(self.server.rsplit("/", 1)[0] + "/ours"))

    def transfer(self, url: str) -> list[str]:
        return [sys.executable, "manage.py", "transfer", "--from", str(self.file), "--to", url]

    def copy(self) -> Figures:
        """Ready binary files into the same stripped tables, and their indexes: what no conversion can beat."""
        ours = self.server.rsplit("/", 1)[0] + "/ours"
        with psycopg.connect(ours) as connection:
            for table in TABLES:
                statement = f"COPY {table} TO STDOUT (FORMAT BINARY)"
                with (
                    (self.folder / table).open("wb") as file,
                    connection.cursor() as cursor,
                    cursor.copy(statement) as rows,
                ):
                    file.writelines(rows)
        url = self.database("raw")
        return self.run([sys.executable, "-m", "tests.bench.transfer", "--raw", str(self.folder)], url)

    def pgloader(self) -> Figures:
        return self._pgloader("loaded", AS_TOLD)

    def tuned(self) -> Figures:
        return self._pgloader("loaded_tuned", TUNED)

    def _pgloader(self, name: str, batches: str) -> Figures:
        if shutil.which("pgloader") is None:
            raise FileNotFoundError("pgloader is not installed")
        url = self.database(name, migrated=False).replace("postgres://", "postgresql://")
        command = self.folder / f"{name}.load"
        command.write_text(LOAD.format(file=self.file, url=url, batches=batches))
        return self.run(["pgloader", "--quiet", str(command)])

    def script(self) -> Figures:
        url = self.database("script", migrated=False)
        return self.run([sys.executable, "-m", "tests.bench.transfer", "--script", str(self.file)], url)

    def bulk(self) -> Figures:
        url = self.database("bulk")
        return self.run([sys.executable, "-m", "tests.bench.transfer", "--bulk", str(self.file)], url)


def load_raw(folder: Path) -> None:
    """What `copy` times: the files into stripped tables, then the indexes."""
    target = open_target("")
    target.open_writer()
    tables = [table for table in own_tables() if table.name in TABLES]
    for table in tables:
        target.suit(table)
    rebuild = [statement for table in tables for statement in target.strip(table)]
    target.connection.ensure_connection()
    for name in TABLES:
        statement, cursor = f"COPY {name} FROM STDIN (FORMAT BINARY)", target.connection.connection.cursor()
        with (folder / name).open("rb") as file, cursor, cursor.copy(statement) as copy:
            while data := file.read(1 << 20):
                copy.write(data)
    for statement in sorted(rebuild, key=lambda each: " FOREIGN KEY " in each):
        target.rebuild(statement)


def load_with_bulk_create(file: Path) -> None:
    """The script one would write first: articles only, a thousand at a time."""
    source = Source.objects.create(slug="bulk", name="bulk", url="https://news.example/", is_active=False)
    columns = "id, url, title, published_at, content, summary_text"
    rows = sqlite3.connect(file).execute(f"SELECT {columns} FROM articles WHERE url LIKE '%/'")  # noqa: S608
    while some := rows.fetchmany(1000):
        Article.objects.bulk_create(
            Article(
                pk=pk,
                source=source,
                url=url,
                canonical_link=url,
                title=title,
                published_at=datetime.fromisoformat(at).replace(tzinfo=UTC),
                content=content or "",
                summary_text=summary or "",
            )
            for pk, url, title, at, content, summary in some
        )


def load_like_the_old_script(file: Path) -> None:
    """Rows one after the other into a table of the old shape, numbered anew."""
    columns = "url, title, published_at, summary_text, created_at, backfill_status, content, content_hash, updated_at"
    rows = sqlite3.connect(file).execute(f"SELECT {columns} FROM articles")  # noqa: S608
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        kinds = ", ".join(f"{name} text" for name in columns.split(", ")[1:])
        cursor.execute(f"CREATE TABLE old_articles (id bigserial PRIMARY KEY, url text NOT NULL UNIQUE, {kinds})")
        insert = f"INSERT INTO old_articles ({columns}) VALUES ({', '.join(['%s'] * 9)}) ON CONFLICT DO NOTHING"  # noqa: S608
        while some := rows.fetchmany(1000):
            cursor.executemany(insert, some)
            connection.commit()


def megabytes(number: int) -> float:
    """The memory of a process and its children; nothing for one that has just ended."""
    try:
        children = Path(f"/proc/{number}/task/{number}/children").read_text().split()
        lines = Path(f"/proc/{number}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    own = next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return own / 1024 + sum(megabytes(int(child)) for child in children)


@contextmanager
def bench(rows: int, file: Path | None) -> Iterator[Bench]:
    if DEBIAN:
        os.environ["POSTGRES_BINARIES"] = str(DEBIAN[-1])
    with tempfile.TemporaryDirectory(prefix="warandpeace-bench-") as folder, postgres() as server:
        Path(folder).chmod(0o755)
        yield Bench(server, Path(folder), file or build(Path(folder) / "legacy.db", rows))


def measure(rows: int, file: Path | None, contenders: list[str]) -> None:
    with bench(rows, file) as session:
        version = psycopg.connect(session.server).execute("SHOW server_version").fetchone()
        what, size = file or f"{rows:,} articles", session.file.stat().st_size / 1e6
        print(f"{what}, {size:,.0f} MB; PostgreSQL {version and version[0]}")
        took = dict[str, float]()
        for name in contenders:
            contender: Callable[[], Figures] = getattr(session, name)
            try:
                seconds, megabytes = contender()
            except (FileNotFoundError, subprocess.CalledProcessError) as error:
                print(f"{name:10} failed: {error}", flush=True)
                continue
            print(f"{name:10} {seconds:6.1f} s {megabytes:6.0f} MB", flush=True)
            took[name] = seconds
        for line in ratios(took):
            print(line)


def ratios(took: dict[str, float]) -> Iterator[str]:
    """How `ours` does beside the others, in words."""
    ours = took.pop("ours", 0.0)
    for name, seconds in took.items() if ours else ():
        if name == "copy":
            yield f"ours takes {ours / seconds:.2f} times as long as raw COPY"
        elif name != "following":
            yield f"ours is {seconds / ours:.2f} times as fast as {name}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=int(os.environ.get("BENCH_ROWS", ROWS)))
    parser.add_argument("--file", type=Path, help="an old file instead of one that is made for this")
    parser.add_argument("--only", default=",".join(CONTENDERS))
    parser.add_argument("--script", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--raw", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--bulk", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.raw:
        load_raw(given.raw)
    elif given.bulk:
        load_with_bulk_create(given.bulk)
    elif given.script:
        load_like_the_old_script(given.script)
    else:
        measure(given.rows, given.file, given.only.split(","))


if __name__ == "__main__":
    main()
