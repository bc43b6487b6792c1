"""What all processes agree upon: when a server may be asked next. A row says it, by one query or two a request.

One thread of a process asks for all others, on a connection of its own: those that fetch have no business with the
database. Where the database doesn't answer, a process keeps the pace by itself.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache
from typing import TypeVar

from django.db import DatabaseError, close_old_connections, connections
from django.utils import timezone

from articles.models import ServerTurn

logger = logging.getLogger(__name__)

# The database is waited for so long, in seconds: a request is worth more than its place in the line.
PATIENCE = 5.0

Answer = TypeVar("Answer")


def reserve(server: str, pause: float, longest: float) -> float:
    """How many seconds to wait before the server may be asked; who comes next waits for `pause` seconds more.

    A turn that is more than `longest` seconds away is told, and not kept.
    """

    def ask() -> float:
        now = timezone.now()
        begin = ServerTurn.objects.reserve(server, timedelta(seconds=pause), now + timedelta(seconds=longest))
        return (begin - now).total_seconds()

    return _asked(ask, otherwise=0.0)


def rest(server: str, span: timedelta) -> None:
    """Let no process ask the server for a while."""
    _asked(lambda: ServerTurn.objects.rest(server, timezone.now() + span), otherwise=None)


def close() -> None:
    """Give the connection back; the next request opens another."""
    _asked(connections.close_all, otherwise=None)


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="turns")


# A forked child has none of its parent's threads.
os.register_at_fork(after_in_child=_thread.cache_clear)


def _asked(question: Callable[[], Answer], otherwise: Answer) -> Answer:
    try:
        return _thread().submit(_answered, question).result(PATIENCE)
    except (DatabaseError, TimeoutError) as error:
        logger.warning("no word from other processes about when servers may be asked: %s", type(error).__name__)
        return otherwise


def _answered(question: Callable[[], Answer]) -> Answer:
    close_old_connections()
    return question()
