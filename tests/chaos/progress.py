"""Does work move? Each stage of the line must have done something new since the cause of a fault was over."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connection
from django.db.models import Max, QuerySet
from django.utils import timezone

from articles.models import Article, Source, Summary
from tests.fakes.bot_api import BotApi

T = TypeVar("T")

# Within so many seconds of its cause's end a fault must be forgotten; so long it is waited for to tell how late it was.
LIMIT, LONGEST = 30.0, 180.0


def asked(question: Callable[[], T]) -> T | None:
    """What the database answers; None while it is away."""
    try:
        return question()
    except (OperationalError, InterfaceError):
        with suppress(OperationalError, InterfaceError):
            connection.close()
        return None


@dataclass(frozen=True)
class Mark:
    """How far each stage had come at a moment."""

    at: float
    articles: int
    summaries: int
    posts: int


@dataclass(frozen=True)
class Recovery:
    """Seconds from the end of the cause until each stage moved; a stage that never did is None."""

    stages: dict[str, float | None]

    @property
    def seconds(self) -> float | None:
        """Until the last stage moved."""
        found = [seconds for seconds in self.stages.values() if seconds is not None]
        return max(found) if len(found) == len(self.stages) else None

    @property
    def is_in_time(self) -> bool:
        return self.seconds is not None and self.seconds <= LIMIT


class Line:
    """The line from the sites to the channels, and the pages beside it."""

    def __init__(self, telegram: BotApi, channels: set[str], port: int) -> None:
        self.telegram, self.channels, self.port = telegram, channels, port

    def mark(self) -> Mark:
        """Where everything stands, as soon as the database can tell."""
        began = time.monotonic()
        while (found := asked(self._rows)) is None:
            time.sleep(0.1)
        return Mark(began, *found, self._posts())

    def recovery(self, since: Mark) -> Recovery:
        """Wait until everything has moved since the mark."""
        stages: dict[str, float | None] = dict.fromkeys(("pages", "fetched", "summarised", "posted"))
        while None in stages.values() and time.monotonic() - since.at < LONGEST:
            for stage, has_moved in self._moved(since).items():
                if stages[stage] is None and has_moved:
                    stages[stage] = time.monotonic() - since.at
            time.sleep(0.2)
        return Recovery(stages)

    def _moved(self, since: Mark) -> dict[str, bool]:
        articles, summaries = asked(self._rows) or (0, 0)
        return {
            "pages": self._is_ready(),
            "fetched": articles > since.articles,
            "summarised": summaries > since.summaries,
            "posted": self._posts() > since.posts,
        }

    def _rows(self) -> tuple[int, int]:
        """The newest article, and the newest summary that a model has written."""
        written = Summary.objects.exclude(provider="extractive")
        return _newest(Article.objects.all()), _newest(written)

    def _posts(self) -> int:
        return sum(post["chat_id"] in self.channels for post in list(self.telegram.sent))

    def _is_ready(self) -> bool:
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            asking.request("GET", "/readyz", headers={"Host": "web"})
            return asking.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            asking.close()


def _newest(rows: QuerySet[Any]) -> int:
    return int(rows.aggregate(newest=Max("pk"))["newest"] or 0)


def spread_fetches() -> None:
    """Let the sites be read one after the other within the next minute, as they are when nothing happens to them."""
    now, sources = timezone.now(), list(Source.objects.order_by("?").values_list("pk", flat=True))
    for place, pk in enumerate(sources):
        free = Source.objects.filter(pk=pk, next_fetch_at__lt=now + timedelta(minutes=2))
        free.update(next_fetch_at=now + timedelta(seconds=60 * place / len(sources)))
