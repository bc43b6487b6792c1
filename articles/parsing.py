"""Reads feeds in other processes: feedparser is slow, and what strangers write may be made to break it.

Each feed has so much time and memory there, and no more. Without Django: worker processes import this module. They die
with the process that started them, even after kill -9.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from functools import cache, partial
from multiprocessing.connection import wait
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from articles import feeds

# A worker is replaced after so many feeds, so that what a parser leaks stays small.
FEEDS_OF_A_WORKER = 2000

# What one feed may take: seconds of CPU, and bytes. A thousand entries of six thousand characters need half of it.
MOST_SECONDS = 4
MOST_MEMORY = 64 * 1024 * 1024
# Where a parser doesn't come back to Python to be told, the kernel ends its process so many seconds later. The feed is
# tried once more then, alone: ten seconds altogether.
GRACE = 1


TOO_MUCH = "The document takes too much time or memory to be read."


class OutOfTime(BaseException):
    """A feed has had its time. It is no Exception, for feedparser catches those."""


class Parsers:
    """Parses feeds in `workers` processes, which start with the first feed, each in so many `seconds` of CPU."""

    def __init__(self, workers: int, seconds: int = MOST_SECONDS) -> None:
        self._workers, self._seconds = workers, seconds
        self._pool: ProcessPoolExecutor | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def parse(self, body: bytes, **circumstances: Any) -> feeds.Feed:
        """`feeds.parse`, elsewhere. Any thread may call it. Raises NotAFeed, also for a feed that kills its parser."""
        reading = partial(parse_within_limits, body, self._seconds, circumstances)
        pool = self._started()
        try:
            return pool.submit(reading).result()
        except BrokenProcessPool:
            self._abandon(pool)
        except (OutOfTime, MemoryError) as error:
            raise feeds.NotAFeed(TOO_MUCH) from error
        return self._parse_alone(reading)

    def _started(self) -> ProcessPoolExecutor:
        with self._lock:
            self._pool = self._pool or _pool(self._workers)
            return self._pool

    def _abandon(self, broken: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is broken:
                self._pool = None

    def _parse_alone(self, reading: Callable[[], feeds.Feed]) -> feeds.Feed:
        """Once more, in a process of its own: of all the feeds that were in a broken pool one is to blame."""
        with _pool(1) as pool:
            try:
                return pool.submit(reading).result()
            except (BrokenProcessPool, OutOfTime, MemoryError) as error:
                raise feeds.NotAFeed(TOO_MUCH) from error


@cache
def shared() -> nullcontext[Parsers]:
    """A single worker for all of this process, which stays: most fetches bring one feed and shouldn't wait for it."""
    return nullcontext(Parsers(workers=1))


def parse_within_limits(body: bytes, seconds: int, circumstances: dict[str, Any]) -> feeds.Feed:
    """`feeds.parse` in a worker that `begin` has prepared. Raises OutOfTime or MemoryError besides."""
    _limit_memory(MOST_MEMORY)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + seconds + GRACE)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return feeds.parse(body, **circumstances)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        _limit(resource.RLIMIT_CPU, resource.RLIM_INFINITY)


def _limit_memory(more: int) -> None:
    """Let this process have so many bytes more than it has now; where the kernel doesn't say, it has no limit."""
    if sys.platform == "linux":
        data_pages = int(Path("/proc/self/statm").read_text().split()[5])
        _limit(resource.RLIMIT_DATA, data_pages * resource.getpagesize() + more)


def _limit(kind: int, value: int) -> None:
    """Set a limit that this process may lift again."""
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _out_of_time(_signal: int, _frame: FrameType | None) -> None:
    raise OutOfTime


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=begin,
        max_tasks_per_child=FEEDS_OF_A_WORKER,
    )


def begin() -> None:
    """Prepare a worker: Ctrl-C is its parent's business, and so is how long it lives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, _out_of_time)
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
