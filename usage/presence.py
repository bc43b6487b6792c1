"""A process says that it is there: a row that it touches as long as it lives."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from django.db import DatabaseError, connection

from usage.models import ProcessSession

logger = logging.getLogger(__name__)

# How often a process says that it is there, in seconds.
PULSE = 30.0


class Presence:
    """Keeps the ProcessSession of this process, from a thread, until `stop` or the end of the process.

    With each sign of life it does what `also` says; a DatabaseError of that counts as its own.
    """

    def __init__(self, role: str, *, also: Callable[[], None] | None = None, pulse: float = PULSE) -> None:
        self.role, self.also, self.pulse = role, also, pulse
        self.session: ProcessSession | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="presence", daemon=True)

    def start(self) -> Self:
        self._thread.start()
        return self

    def leave(self) -> None:
        """Have the end noted by the thread, and don't wait for it."""
        self._stopped.set()

    def stop(self) -> None:
        self.leave()
        self._thread.join(timeout=2)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _keep(self) -> None:
        while not self._stopped.is_set():
            self._note()
            self._stopped.wait(self.pulse)
        self._note(ending=True)

    def _note(self, *, ending: bool = False) -> None:
        """Write one sign of life. A database that is away is tried again with the next one."""
        try:
            if self.also:
                self.also()
            if self.session is None:
                self.session = ProcessSession.begin(self.role)
            elif ending:
                self.session.end()
            else:
                self.session.seen()
        except DatabaseError as error:
            logger.warning("The %s process could not note that it is there: %s", self.role, error)
        finally:
            connection.close()
