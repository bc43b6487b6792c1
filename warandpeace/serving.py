"""gunicorn's configuration: `gunicorn --config python:warandpeace.serving warandpeace.wsgi`."""

from __future__ import annotations

import gc
import os
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

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
    """The worker has set Django up by now, which this file can't count on when gunicorn reads it."""
    worker.presence = import_string("warandpeace.processes.begin_web")()
    settle()


def settle() -> None:
    """Load the code of every page now, and let the garbage collector leave it alone.

    It would look through all of it again and again, and whoever waits for a page meanwhile waits a tenth of a second
    longer.
    """
    import_string("django.urls.get_resolver")().url_patterns  # noqa: B018  loads them
    gc.collect()
    gc.freeze()


def worker_exit(server: Any, worker: Any) -> None:
    presence = getattr(worker, "presence", None)
    if presence:
        presence.stop()
