"""How fast feeds become articles: 500 feeds of 30 entries on the loopback, beside newsboat and feedparser alone.

`python -m tests.bench.ingest` prints one table: first all feeds at once, then the same feeds while their server answers
304 to everything. Figures are of whole processes, from their start to their end.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from tests.fakes import feeds
from tests.fakes.feed_server import FeedServer
from tests.processes import descendants, proportional_set_size

FEEDS = 500
ENTRIES = 30
ROOT = Path(__file__).resolve().parents[2]
MANAGE = [sys.executable, str(ROOT / "manage.py")]

# Each third of the feeds: the format, and the length of its texts in characters, for 31 MB altogether.
KINDS: list[tuple[Callable[..., bytes], str, int]] = [
    (feeds.rss, "windows-1251", 1300),
    (feeds.atom, "utf-8", 650),
    (feeds.rdf, "utf-8", 800),
]


@dataclass(frozen=True)
class Cost:
    """What a command took: seconds on the clock, seconds of CPU and megabytes at its peak, with all its processes."""

    wall: float
    cpu: float
    peak: float
    output: str = ""


def main() -> int:
    """Measure and print."""
    documents = [document(number) for number in range(FEEDS)]
    size = sum(map(len, documents)) / 1e6
    print(f"{FEEDS} feeds of {ENTRIES} entries, {size:.1f} MB, {os.cpu_count()} cores\n")
    print(f"{'':36}{'wall, s':>9}{'CPU, s':>9}{'peak, MB':>10}")
    show("feedparser alone, one process", feedparser_alone(documents))
    with tempfile.TemporaryDirectory(prefix="warandpeace-bench-") as folder, served() as port:
        addresses = [f"http://127.0.0.1:{port}/{number}.xml" for number in range(FEEDS)]
        newsboat(Path(folder), addresses)
        return ours(Path(folder), addresses)


def document(number: int) -> bytes:
    """The feed of this number, the same each time."""
    write, encoding, length = KINDS[number % len(KINDS)]
    items = feeds.items(ENTRIES, site=f"https://site{number}.example", first=number * ENTRIES + 1, length=length)
    return write(items, encoding=encoding)


def show(name: str, cost: Cost) -> None:
    print(f"{name:36}{cost.wall:9.2f}{cost.cpu:9.2f}{cost.peak:10.0f}", flush=True)


def feedparser_alone(documents: list[bytes]) -> Cost:
    """feedparser as it comes, over the same files in this process, which has done nothing else so far."""
    import feedparser  # noqa: PLC0415 - only now, so that its import is not in the others' memory

    wall, cpu = time.perf_counter(), time.process_time()
    for body in documents:
        feedparser.parse(io.BytesIO(body))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(time.perf_counter() - wall, time.process_time() - cpu, peak)


def newsboat(folder: Path, addresses: list[str]) -> None:
    if not shutil.which("newsboat"):
        print("newsboat is not installed: nothing to compare with (Debian: apt-get install newsboat)")
        return
    (folder / "urls").write_text("\n".join(addresses))
    (folder / "config").write_text("")
    command = ["newsboat", "-u", f"{folder}/urls", "-c", f"{folder}/cache.db", "-C", f"{folder}/config", "-x", "reload"]
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    show("newsboat, cold", measure(command, environment))
    show("newsboat, all 304", measure(command, environment))


def ours(folder: Path, addresses: list[str]) -> int:
    """`manage.py ingest` on an empty SQLite file, then again; the exit status tells whether every entry was stored."""
    environment = {
        "VAR_DIR": str(folder / "var"),
        "FETCH_ALLOW_PRIVATE": "on",
        "ENV_FILE": os.devnull,
        "DATABASE_URL": "",
    }
    environment = os.environ | environment
    subprocess.run([*MANAGE, "migrate", "--verbosity=0"], env=environment, check=True)
    subprocess.run(
        [*MANAGE, "shell", "--verbosity=0", "-c", SOURCES],
        env=environment,
        input="\n".join(addresses),
        text=True,
        check=True,
    )
    cold = measure([*MANAGE, "ingest"], environment)
    show("manage.py ingest, cold", cold)
    again = measure([*MANAGE, "ingest"], environment)
    show("manage.py ingest, all 304", again)
    total = FEEDS * ENTRIES
    expected = [
        f"sources={FEEDS} new={total} updated=0 unchanged=0 failed=0",
        f"sources={FEEDS} new=0 updated=0 unchanged={total} failed=0",
    ]
    print(f"\n{cold.output}{again.output}", end="")
    return 0 if [cold.output.strip(), again.output.strip()] == expected else 1


SOURCES = """
import sys
from articles.models import Source
Source.objects.all().update(is_active=False)
Source.objects.bulk_create(
    Source(slug=f"site-{number}", name=f"Site {number}", url=address.strip())
    for number, address in enumerate(sys.stdin)
)
"""


def measure(command: list[str], environment: dict[str, str]) -> Cost:
    """Run a command to its end. Its peak is sampled over all its processes every 20 ms."""
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    peak = Peak(process.pid)
    output, _ = process.communicate()
    wall = time.perf_counter() - wall
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with status {process.returncode}.")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, peak.stop(), output)


class Peak:
    """Watches the memory of a process and its descendants: what each has to itself, and its share of the rest."""

    def __init__(self, pid: int) -> None:
        self._pid, self._kilobytes = pid, 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self._kilobytes = max(self._kilobytes, sum(map(proportional_set_size, descendants(self._pid))))

    def stop(self) -> float:
        """The peak in megabytes."""
        self._done.set()
        self._thread.join()
        return self._kilobytes / 1024


@contextmanager
def served() -> Iterator[int]:
    """The feeds on a server in a process of its own; gives its port."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=[theirs], daemon=True)
    process.start()
    theirs.close()  # or a server that dies would be waited for without end
    try:
        yield ours.recv()
    finally:
        ours.send("enough")
        process.join()


def serve(connection: Connection) -> None:
    with FeedServer() as server:
        for number in range(FEEDS):
            server.serve(f"/{number}.xml", document(number), etag=f'"{number}"')
        connection.send(server.port)
        connection.recv()


if __name__ == "__main__":
    sys.exit(main())
