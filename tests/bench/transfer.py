"""How fast a whole old file comes into PostgreSQL, proved, beside raw COPY, pgloader and bulk_create.

    python -m tests.bench.transfer [--rows 158599] [--only ours,copy,pgloader,bulk]

One session, one private server with default settings, one file; whole processes are timed, and their peak memory.
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
# With its own defaults pgloader runs out of memory on texts of this size.
LOAD = """LOAD DATABASE FROM sqlite://{file} INTO {url}
WITH include drop, create tables, create indexes, reset sequences, workers = 2, concurrency = 1,
     batch rows = 500, batch size = 2 MB, prefetch rows = 500
SET work_mem TO '32 MB', maintenance_work_mem TO '128 MB';
"""


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

    def run(self, command: list[str], url: str = "") -> tuple[float, float]:
        """Seconds and peak megabytes of a whole process. Raises CalledProcessError."""
        environment = os.environ | {"DATABASE_URL": url, "VAR_DIR": str(self.folder / "var"), "ENV_FILE": os.devnull}
        began = time.perf_counter()
        with (self.folder / "said").open("w") as said:
            process = subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            print((self.folder / "said").read_text()[-2000:])
            raise subprocess.CalledProcessError(process.returncode, command)
        return time.perf_counter() - began, usage.ru_maxrss / 1024

    def ours(self) -> tuple[float, float]:
        url = self.database("ours")
        return self.run([sys.executable, "manage.py", "transfer", "--from", str(self.file), "--to", url])

    def copy(self) -> tuple[float, float]:
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

    def pgloader(self) -> tuple[float, float]:
        if shutil.which("pgloader") is None:
            raise FileNotFoundError("pgloader is not installed")
        url = self.database("loaded", migrated=False).replace("postgres://", "postgresql://")
        command = self.folder / "pgloader.load"
        command.write_text(LOAD.format(file=self.file, url=url))
        return self.run(["pgloader", "--quiet", str(command)])

    def bulk(self) -> tuple[float, float]:
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


@contextmanager
def bench(rows: int) -> Iterator[Bench]:
    if DEBIAN:
        os.environ["POSTGRES_BINARIES"] = str(DEBIAN[-1])
    with tempfile.TemporaryDirectory(prefix="warandpeace-bench-") as folder, postgres() as server:
        Path(folder).chmod(0o755)
        yield Bench(server, Path(folder), build(Path(folder) / "legacy.db", rows))


def measure(rows: int, contenders: list[str]) -> None:
    with bench(rows) as session:
        version = psycopg.connect(session.server).execute("SHOW server_version").fetchone()
        print(f"{rows:,} articles, {session.file.stat().st_size / 1e6:,.0f} MB; PostgreSQL {version and version[0]}")
        ours = 0.0
        for name in contenders:
            contender: Callable[[], tuple[float, float]] = getattr(session, name)
            try:
                seconds, megabytes = contender()
            except (FileNotFoundError, subprocess.CalledProcessError) as error:
                print(f"{name:10} failed: {error}", flush=True)
                continue
            ours = ours or seconds
            print(f"{name:10} {seconds:6.1f} s {megabytes:6.0f} MB  ours/this {ours / seconds:5.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=int(os.environ.get("BENCH_ROWS", ROWS)))
    parser.add_argument("--only", default="ours,copy,pgloader,bulk")
    parser.add_argument("--raw", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--bulk", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.raw or given.bulk:
        load_raw(given.raw) if given.raw else load_with_bulk_create(given.bulk)
    else:
        measure(given.rows, given.only.split(","))


if __name__ == "__main__":
    main()
