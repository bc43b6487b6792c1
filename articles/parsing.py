"""Reads feeds and pages in other processes: it is slow, and what strangers write may be made to break parsers.

Each document has so much time and memory there, and no more. Without Django: worker processes import this module. They
die with the process that started them, even after kill -9.
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
from functools import cache, partial
from importlib import import_module
from multiprocessing.connection import wait
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

from selectolax.lexbor import SelectolaxError

from articles import feeds

# A worker is replaced after so many documents, so that what a parser leaks stays small.
DOCUMENTS_OF_A_WORKER = 2000

# What one document may take: seconds of CPU, and bytes. A thousand entries of six thousand characters need half of it.
MOST_SECONDS = 4
MOST_MEMORY = 64 * 1024 * 1024
# Where a parser doesn't come back to Python to be told, the kernel ends its process so many seconds later. The document
# is tried once more then, alone: ten seconds altogether.
GRACE = 1

Result = TypeVar("Result")


class OutOfTime(BaseException):
    """A document has had its time. It is no Exception, for feedparser catches those."""


class TooMuch(Exception):
    """A document takes more time or memory than it may, or ends the process that reads it."""


class Parsers:
    """Reads documents in `workers` processes, which start with the first one, each in so many `seconds` of CPU."""

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
        try:
            return self.run(partial(feeds.parse, body, **circumstances))
        except TooMuch as error:
            raise feeds.NotAFeed(str(error)) from error

    def run(self, reading: Callable[[], Result], *, needs: str = "") -> Result:
        """What `reading` gives, elsewhere. Any thread may call it; all of it must be fit to be pickled.

        `needs` is a module to import before the limits hold. Raises TooMuch besides what `reading` raises.
        """
        limited = partial(within_limits, reading, self._seconds, needs)
        pool = self._started()
        try:
            return pool.submit(limited).result()
        except BrokenProcessPool:
            self._abandon(pool)
        except (OutOfTime, MemoryError) as error:
            raise TooMuch("The document takes too much time or memory to be read.") from error
        return self._run_alone(limited)

    def _started(self) -> ProcessPoolExecutor:
        with self._lock:
            self._pool = self._pool or _pool(self._workers)
            return self._pool

    def _abandon(self, broken: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is broken:
                self._pool = None

    def _run_alone(self, limited: Callable[[], Result]) -> Result:
        """Once more, in a process of its own: of all the documents that were in a broken pool one is to blame."""
        with _pool(1) as pool:
            try:
                return pool.submit(limited).result()
            except (BrokenProcessPool, OutOfTime, MemoryError) as error:
                raise TooMuch("The document takes too much time or memory to be read.") from error


@cache
def shared() -> Parsers:
    """A single worker for all of this process, which stays: most fetches bring one page and shouldn't wait for it."""
    return Parsers(workers=1)


def within_limits(reading: Callable[[], Result], seconds: int, needs: str = "") -> Result:
    """What `reading` gives, in a worker that `begin` has prepared. Raises OutOfTime or MemoryError besides."""
    if needs:
        import_module(needs)
    _limit_memory(MOST_MEMORY)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + seconds + GRACE)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return reading()
    except SelectolaxError as error:
        # Lexbor says no more where it gets no memory.
        raise MemoryError from error
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
        max_tasks_per_child=DOCUMENTS_OF_A_WORKER,
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
