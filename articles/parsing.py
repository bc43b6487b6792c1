"""Reads feeds in other processes, for feedparser is slow and Python computes in one thread at a time.

Without Django: worker processes import this module. They die with the process that started them, even after kill -9.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, Self

from articles import feeds

# A worker is replaced after so many feeds, so that what a parser leaks stays small.
FEEDS_OF_A_WORKER = 2000


class Parsers:
    """Parses feeds in `workers` processes, which start with the first feed; with none, in the calling thread."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
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
        reading = partial(feeds.parse, body, **circumstances)
        if not self._workers:
            return reading()
        pool = self._started()
        try:
            return pool.submit(reading).result()
        except BrokenProcessPool:
            self._abandon(pool)
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
            except BrokenProcessPool as error:
                raise feeds.NotAFeed("The document ends the program that reads it.") from error


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        max_tasks_per_child=FEEDS_OF_A_WORKER,
    )


def _begin() -> None:
    """Prepare a worker: Ctrl-C is its parent's business, and so is how long it lives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
