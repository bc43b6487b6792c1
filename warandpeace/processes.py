"""What every process of ours does beside its work: it says that it is there, is watched, times and names its tasks."""

from __future__ import annotations

import atexit
import time
from contextvars import Token
from typing import Any

from celery import Task
from celery.signals import beat_init, task_postrun, task_prerun, worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings

from publishing.bot import debugging
from usage.presence import Presence
from usage.watchdog import Watchdog, work
from warandpeace.logs import correlation_id
from warandpeace.metrics import JOB_DURATION

# A worker is rung every few seconds, and the scheduler makes its rounds; so long without any, and they are stuck.
SILENT_WORKER, SILENT_SCHEDULER = 1800.0, 300.0


def begin_web() -> Presence:
    """A process that answers requests has begun; the presence must be stopped before it ends."""
    Watchdog(work, places=settings.WEB_THREADS, alive=settings.ALIVE_FILE).start()
    return Presence("web", also=debugging.obey).start()


# --- Celery's processes and tasks ------------------------------------------------------------------------------------

_presences: list[Presence] = []
_running: dict[str, tuple[Token[str], float, int]] = {}


@worker_ready.connect
def worker_began(**signal: Any) -> None:
    _presences.append(Presence(settings.PROCESS_ROLE or "worker", also=debugging.obey).start())
    Watchdog(work, places=settings.CELERY_WORKER_CONCURRENCY, silence=SILENT_WORKER, alive=settings.ALIVE_FILE).start()


@beat_init.connect
def beat_began(**signal: Any) -> None:
    presence = Presence("beat", also=debugging.obey).start()
    atexit.register(presence.stop)
    Watchdog(work, places=1, silence=SILENT_SCHEDULER, alive=settings.ALIVE_FILE).start()


@worker_shutting_down.connect
def worker_ends(**signal: Any) -> None:
    """The end is noted now: whoever waits for the last tasks may lose patience and kill the process before it ends."""
    for presence in _presences:
        presence.leave()


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
