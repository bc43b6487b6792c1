"""How a fetch went, and how that is written into the source's row: only while the fetch's lease stands."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from articles import metrics
from articles.canonical import MAX_LENGTH
from articles.feeds import Feed, UnknownTimeZone, Unreadable
from articles.http import FetchError, HostRests
from articles.models import Source
from articles.robots import Disallowed
from articles.sites import rot
from articles.sites.reading import NothingFound, UnreadableSite

# Sources that brought nothing new are written together: a lost batch costs as many conditional requests.
WRITE_AT_ONCE = 200

# A permanent redirect is believed after so many fetches in a row that led to the same address.
CONFIRMATIONS = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fetch of a source under a lease."""

    source: Source
    lease: datetime

    def held(self) -> QuerySet[Source]:
        """The source's row while nobody else has taken or planned it."""
        return Source.objects.filter(pk=self.source.pk, next_fetch_at=self.lease)


@dataclass(frozen=True, slots=True)
class Unchanged(Outcome):
    """The server said so, or the same body came again."""

    etag: str
    last_modified: str
    moved_to: str = ""

    @property
    def has_news(self) -> bool:
        """Whether more is to be written down than that all is well."""
        source = self.source
        return (self.etag, self.last_modified) != (source.etag, source.last_modified) or bool(
            self.moved_to or source.moved_to
        )


@dataclass(frozen=True, slots=True)
class Read(Outcome):
    """A feed came and was read."""

    etag: str
    last_modified: str
    body_hash: str
    feed: Feed
    moved_to: str = ""
    # What its page yields by kind, where that is watched.
    yields: dict[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Failed(Outcome):
    """Nothing usable came."""

    error: FetchError | Unreadable | Disallowed

    @property
    def reason(self) -> str:
        """A sentence for people."""
        match self.error:
            case FetchError() | UnreadableSite() | Disallowed():
                return str(self.error)
            case UnknownTimeZone():
                return _("The time zone of this source is unknown.")
            case _unreadable:
                return _("What came is no feed, or it is too damaged to be read.")


class Outcomes:
    """Writes outcomes down: what was read and what failed at once, what brought nothing new in batches."""

    def __init__(self) -> None:
        self._waiting: list[Unchanged] = []

    def read(self, outcome: Read) -> None:
        source, yields = outcome.source, outcome.yields
        usual_yield = source.usual_yield if yields is None else rot.compare(source, yields)
        outcome.held().update(
            **_success(outcome.source.interval_minutes),
            etag=outcome.etag,
            last_modified=outcome.last_modified,
            body_hash=outcome.body_hash,
            entry_count=len(outcome.feed.entries),
            usual_yield=usual_yield,
            **_move(outcome.source, outcome.moved_to),
        )

    def unchanged(self, outcome: Unchanged) -> None:
        if outcome.has_news:
            news: dict[str, object] = {"etag": outcome.etag, "last_modified": outcome.last_modified}
            news |= _move(outcome.source, outcome.moved_to)
            outcome.held().update(**_success(outcome.source.interval_minutes), **news)
            return
        self._waiting.append(outcome)
        if len(self._waiting) >= WRITE_AT_ONCE:
            self.write()

    def failed(self, outcome: Failed) -> None:
        now, source = timezone.now(), outcome.source
        if isinstance(outcome.error, HostRests):
            # Its server has work enough: that is nobody's failure.
            outcome.held().update(next_fetch_at=now + outcome.error.wait)
            return
        if isinstance(outcome.error, NothingFound):
            rot.nothing_found(source)
        failures = source.consecutive_failures + 1
        asked_for = getattr(outcome.error, "retry_after", None) or timedelta(0)
        outcome.held().update(
            last_fetched_at=now,
            consecutive_failures=failures,
            last_error=outcome.reason,
            next_fetch_at=now + max(source.backoff(failures), asked_for),
        )
        metrics.errors.labels(type(outcome.error).__name__).inc()

    def write(self) -> None:
        """Write what waits for its batch: one update for all with the same lease and interval."""
        alike: dict[tuple[datetime, int], list[int]] = defaultdict(list)
        for outcome in self._waiting:
            alike[outcome.lease, outcome.source.interval_minutes].append(outcome.source.pk)
        for (lease, interval), sources in alike.items():
            Source.objects.filter(pk__in=sources, next_fetch_at=lease).update(**_success(interval))
        self._waiting.clear()


def _move(source: Source, moved_to: str) -> dict[str, object]:
    """What to write of a permanent redirect: count it and, once it has been confirmed, follow it for good.

    A server that answers so for an hour only, or a network that stands in for it, must not take a source away; nor may
    anybody lead it from HTTPS to HTTP.
    """
    weaker = source.url.startswith("https:") and not moved_to.startswith("https:")
    if not moved_to or weaker or len(moved_to) > MAX_LENGTH:
        return {"moved_to": "", "moved_count": 0}
    count = source.moved_count + 1 if moved_to == source.moved_to else 1
    if count < CONFIRMATIONS:
        return {"moved_to": moved_to, "moved_count": count}
    logger.warning("source %s has moved for good", source.slug)
    return {"url": moved_to, "moved_to": "", "moved_count": 0}


def _success(interval_minutes: int) -> dict[str, object]:
    now = timezone.now()
    return {
        "last_fetched_at": now,
        "last_success_at": now,
        "consecutive_failures": 0,
        "last_error": "",
        "next_fetch_at": now + timedelta(minutes=interval_minutes),
    }
