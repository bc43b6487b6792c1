"""Ends a process that lives but gets nothing done, so that whoever started it starts it again.

A process says when it begins and ends a job. A thread looks at that every few seconds and winds up a timer that the
interpreter keeps in C: when it runs out, the stacks of all threads are printed and the process ends. It runs out when
the thread finds the process stuck, and also when the thread itself gets no turn, because something holds the
interpreter.
"""

from __future__ import annotations

import faulthandler
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

logger = logging.getLogger(__name__)

# How often it looks, and how long after its last look the process ends; both in seconds.
PULSE, TIMER = 10.0, 60.0
# The process's own, whatever stands in its place for a while.
STANDARD_ERROR = 2


@dataclass
class Work:
    """The jobs a process is busy with. Times are those of the monotonic clock, in seconds."""

    # A job that takes longer counts as hung: everything we wait for gives up much earlier.
    longest: float = 900.0
    _began: dict[int, float] = field(default_factory=dict)
    _last_end: float = field(default_factory=time.monotonic)
    _next: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def job(self) -> Iterator[None]:
        """What happens inside is one job."""
        number = self.begin()
        try:
            yield
        finally:
            self.end(number)

    def begin(self) -> int:
        """A job begins; gives its number."""
        with self._lock:
            self._next += 1
            self._began[self._next] = time.monotonic()
            return self._next

    def end(self, number: int) -> None:
        """The job of that number is over."""
        with self._lock:
            self._began.pop(number, None)
            self._last_end = time.monotonic()

    def hung(self, now: float) -> int:
        """How many jobs have taken too long."""
        with self._lock:
            return sum(now - began > self.longest for began in self._began.values())

    def idle(self, now: float) -> float:
        """Seconds since a job was last ended."""
        return now - self._last_end


class Watchdog:
    """Watches the work of this process from a thread, until the process ends or the `with` block does.

    It is stuck when hung jobs hold all its `places`, or when it has ended no job for `silence` seconds (None: it may
    have nothing to do for ever). Each look touches the file `alive`: who watches that from outside notices a process
    too that was stopped as a whole.
    """

    def __init__(self, work: Work, *, places: int, silence: float | None = None, alive: str = "") -> None:
        self.work, self.places, self.silence = work, places, silence
        self.alive = Path(alive) if alive else None
        self._told = 0
        self._stopped = threading.Event()

    def start(self, pulse: float = PULSE, timer: float = TIMER) -> None:
        self._wind_up(timer)
        threading.Thread(target=self._watch, args=[pulse, timer], name="watchdog", daemon=True).start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        faulthandler.cancel_dump_traceback_later()

    def is_stuck(self, now: float) -> bool:
        hung = self.work.hung(now)
        if hung > self._told:
            logger.error("%s of %s jobs have taken longer than %.0f s", hung, self.places, self.work.longest)
        self._told = hung
        if hung >= self.places:
            return True
        return self.silence is not None and self.work.idle(now) > self.silence

    def _watch(self, pulse: float, timer: float) -> None:
        while not self.is_stuck(time.monotonic()):
            self._show()
            if self._stopped.wait(pulse):
                return
            self._wind_up(timer)
        logger.critical("This process gets nothing done and ends, to be started again; all stacks follow")

    @staticmethod
    def _wind_up(timer: float) -> None:
        faulthandler.dump_traceback_later(timer, exit=True, file=STANDARD_ERROR)

    def _show(self) -> None:
        if self.alive:
            with suppress(OSError):
                self.alive.touch()


# The jobs of this process: a worker's tasks, a web process's requests, the scheduler's rounds, the bot's questions.
work = Work()
