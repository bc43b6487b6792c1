"""The Celery application. Tasks are doorbells: losing all of them costs seconds, because the sweeper rings again."""

import os
import warnings
from typing import Any

from celery import Celery
from celery.platforms import SecurityWarning  # type: ignore[attr-defined]  # its stubs lack it
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "warandpeace.settings")

# Root is warned of because unpickling a message would be dangerous for it; ours are JSON.
warnings.simplefilter("ignore", SecurityWarning)

app = Celery("warandpeace")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    task_publish_retry=False,
    # Whoever has the disk for backups listens to this queue: the embedded worker, in the stack a service of its own.
    task_routes={"warandpeace.tasks.back_up": {"queue": "backups"}},
    worker_pool="threads",
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,
    # However long the broker is away: a worker that gave up would have to be started again.
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    beat_scheduler="warandpeace.beat:Scheduler",
    beat_max_loop_interval=2,
)
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**signal: Any) -> None:
    """A receiver of this signal is what tells Celery to leave Django's LOGGING as it is."""
