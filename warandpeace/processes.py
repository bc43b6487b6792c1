"""What every process of ours does beside its work: it says that it is there, and times and names its tasks."""

from __future__ import annotations

import logging
import threading
import time
from contextvars import Token
from typing import Any

from celery import Task
from celery.signals import beat_init, task_postrun, task_prerun, worker_ready, worker_shutdown
from django.conf import settings
from django.db import DatabaseError, connection

from publishing.bot import debugging
from usage.models import ProcessSession
from warandpeace.logs import correlation_id
from warandpeace.metrics import JOB_DURATION
from warandpeace.watchdog import Watchdog, work

logger = logging.getLogger(__name__)

# How often a process says that it is there, in seconds.
PULSE = 30.0

# A worker is rung every few seconds, and the scheduler makes its rounds; so long without any, and they are stuck.
SILENT_WORKER, SILENT_SCHEDULER = 1800.0, 300.0


class Presence:
    """Keeps the ProcessSession of this process, from a thread, until `stop` or the end of the process."""

    def __init__(self, role: str, pulse: float = PULSE) -> None:
        self.role = role
        self.pulse = pulse
        self.session: ProcessSession | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="presence", daemon=True)

    def start(self) -> Presence:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(timeout=2)

    def _keep(self) -> None:
        while not self._stopped.is_set():
            self._note()
            self._stopped.wait(self.pulse)
        self._note(ending=True)

    def _note(self, *, ending: bool = False) -> None:
        """Write one sign of life. A database that is away is tried again with the next one."""
        try:
            debugging.obey()
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


# --- Celery's processes and tasks ------------------------------------------------------------------------------------

_presences: list[Presence] = []
_running: dict[str, tuple[Token[str], float, int]] = {}


@worker_ready.connect
def worker_began(**signal: Any) -> None:
    _presences.append(Presence(settings.PROCESS_ROLE or "worker").start())
    Watchdog(work, places=settings.CELERY_WORKER_CONCURRENCY, silence=SILENT_WORKER, alive=settings.ALIVE_FILE).start()


@beat_init.connect
def beat_began(**signal: Any) -> None:
    _presences.append(Presence("beat").start())
    Watchdog(work, places=1, silence=SILENT_SCHEDULER, alive=settings.ALIVE_FILE).start()


@worker_shutdown.connect
def worker_ended(**signal: Any) -> None:
    for presence in _presences:
        presence.stop()


@task_prerun.connect
def task_began(task_id: str, **signal: Any) -> None:
    """Name the task's log lines after it."""
    _running[task_id] = (correlation_id.set(task_id[:8]), time.monotonic(), work.begin())


@task_postrun.connect
def task_ended(task_id: str, task: Task[Any, Any], **signal: Any) -> None:
    token, began, job = _running.pop(task_id)
    work.end(job)
    correlation_id.reset(token)
    JOB_DURATION.labels(job=task.name).observe(time.monotonic() - began)
