"""How people's edges (the admin, commands) ring a Celery task: after commit, and without ever failing for it."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from celery import Task
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def ring(task: Task[Any, None], *arguments: Any) -> None:
    """Ask a worker to run the task once the transaction is committed.

    A broker that is away costs a log line: the sweeper finds what is due a few seconds later.
    """
    transaction.on_commit(partial(_ring_now, task, *arguments))


def _ring_now(task: Task[Any, None], *arguments: Any) -> None:
    try:
        task.delay(*arguments)
    except (OperationalError, OSError) as error:
        logger.warning("doorbell %s not rung: %s", task.name, error)
