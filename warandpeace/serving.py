"""gunicorn's configuration: `gunicorn --config python:warandpeace.serving warandpeace.wsgi`."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings

from warandpeace import lifeline

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "warandpeace.settings")

worker_class = "gthread"
workers = settings.WEB_WORKERS
threads = settings.WEB_THREADS
graceful_timeout = 3
keepalive = 5
logconfig_dict = settings.LOGGING


def when_ready(server: Any) -> None:
    """The master is watched, and with it the process group that its workers belong to."""
    lifeline.watch()


def post_worker_init(worker: Any) -> None:
    """Django is set up only now, so its rows can be imported only here."""
    from warandpeace.processes import Presence  # noqa: PLC0415
    from warandpeace.watchdog import Watchdog, work  # noqa: PLC0415

    worker.presence = Presence("web").start()
    Watchdog(work, places=threads, alive=settings.ALIVE_FILE).start()


def worker_exit(server: Any, worker: Any) -> None:
    presence = getattr(worker, "presence", None)
    if presence:
        presence.stop()
