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
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**signal: Any) -> None:
    """A receiver of this signal is what tells Celery to leave Django's LOGGING as it is."""
