"""How fast an archive is read: `backfill --no-content` over a site on the loopback, beside selectolax alone.

`python -m tests.bench.backfill` prints one table. "Alone" is one process that parses the same pages, already in memory,
with the same selectors: what no backfill can be faster than. All are by the processor's time, which stands up to a
busy machine; the backfill, whose processes work side by side, by the clock as well.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings
from selectolax.lexbor import LexborHTMLParser

from articles.sites import pages, selectors
from articles.sites.pages import Circumstances
from articles.sites.presets import WARANDPEACE
from tests.fakes.site_server import Site, days_of_news, site_server

LAST, DAYS, A_DAY = date(2024, 5, 20), 200, 45
PAGES = DAYS * 3
MANAGE = [sys.executable, str(Path(__file__).resolve().parents[2] / "manage.py")]


def archive() -> Site:
    return Site(days_of_news(LAST, DAYS, A_DAY))


def documents() -> list[str]:
    """Every page of the archive."""
    site = archive()
    days = [LAST - timedelta(days=place) for place in range(DAYS)]
    addresses = (f"/ru/archive/search/_/page={page}/?date_st={day:%d.%m.%Y}" for day in days for page in (1, 2, 3))
    return [site.answer(address)[1] for address in addresses]


def main() -> int:
    """Measure and print; the exit status tells whether every article was stored."""
    settings.configure(USE_I18N=False)
    bodies = documents()
    print(f"{PAGES} pages of 15 articles, {sum(map(len, bodies)) / 1e6:.1f} MB of text, {os.cpu_count()} cores\n")
    show("selectolax alone: parse, find the items", bare(bodies))
    show("our reading of the same pages", reading(bodies))
    with tempfile.TemporaryDirectory(prefix="warandpeace-bench-") as folder, served() as url:
        seconds, worked, output = ours(Path(folder), url)
    show("manage.py backfill --no-content, SQLite", worked)
    show("the same by the clock", seconds)
    print(f"\n{output}", end="")
    return 0 if f"new={DAYS * A_DAY} " in output else 1


def show(name: str, seconds: float) -> None:
    print(f"{name:42}{PAGES / seconds:9.0f} pages/s", flush=True)


def bare(bodies: list[str]) -> float:
    started = time.process_time()
    for body in bodies:
        LexborHTMLParser(body).css(WARANDPEACE.selectors["list"]["item"])
    return time.process_time() - started


def reading(bodies: list[str]) -> float:
    found = selectors.read(WARANDPEACE.selectors)
    around = Circumstances("https://a.example/", ZoneInfo("Europe/Moscow"), datetime.now(UTC), found.date_formats)
    started = time.process_time()
    for body in bodies:
        pages.read_list(body, found.archive, around)
    return time.process_time() - started


def ours(folder: Path, url: str) -> tuple[float, float, str]:
    """Seconds by the clock and by the processor, and the last line, of a backfill into an empty SQLite file."""
    own = {"VAR_DIR": str(folder), "FETCH_ALLOW_PRIVATE": "on", "ENV_FILE": os.devnull, "DATABASE_URL": ""}
    environment = os.environ | own
    subprocess.run([*MANAGE, "migrate", "--verbosity=0"], env=environment, check=True)
    make = [*MANAGE, "shell", "--verbosity=0", "-c", SOURCE]
    subprocess.run(make, env=environment | {"SITE_URL": url}, check=True)
    first = LAST - timedelta(days=DAYS - 1)
    command = [*MANAGE, "backfill", "--source", "site", "--from", str(first), "--to", str(LAST), "--no-content"]
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=environment, text=True, stdout=subprocess.PIPE, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - started, worked, done.stdout


SOURCE = """
import os
from articles.models import Source
from tests.fakes.site_server import Site
Source.objects.create(**Site(url=os.environ["SITE_URL"]).source(slug="site"))
"""


@contextmanager
def served() -> Iterator[str]:
    """The site in a process of its own; gives its address."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=[theirs], daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours.recv()
    finally:
        ours.send("enough")
        process.join()


def serve(connection: Connection) -> None:
    with site_server(archive().news) as site:
        connection.send(site.url)
        connection.recv()


if __name__ == "__main__":
    sys.exit(main())
