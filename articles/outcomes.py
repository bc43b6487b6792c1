"""How a fetch went, and how that is written into the source's row: only while the fetch's lease stands."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from articles import metrics
from articles.feeds import Feed, UnknownTimeZone, Unreadable
from articles.http import FetchError
from articles.models import Source

# Sources that brought nothing new are written together: a lost batch costs as many conditional requests.
WRITE_AT_ONCE = 200


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

    @property
    def has_new_validators(self) -> bool:
        return (self.etag, self.last_modified) != (self.source.etag, self.source.last_modified)


@dataclass(frozen=True, slots=True)
class Read(Outcome):
    """A feed came and was read."""

    etag: str
    last_modified: str
    body_hash: str
    feed: Feed


@dataclass(frozen=True, slots=True)
class Failed(Outcome):
    """Nothing usable came."""

    error: FetchError | Unreadable

    @property
    def reason(self) -> str:
        """A sentence for people."""
        match self.error:
            case FetchError():
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
        outcome.held().update(
            **_success(outcome.source.interval_minutes),
            etag=outcome.etag,
            last_modified=outcome.last_modified,
            body_hash=outcome.body_hash,
            entry_count=len(outcome.feed.entries),
        )

    def unchanged(self, outcome: Unchanged) -> None:
        if outcome.has_new_validators:
            validators = {"etag": outcome.etag, "last_modified": outcome.last_modified}
            outcome.held().update(**_success(outcome.source.interval_minutes), **validators)
            return
        self._waiting.append(outcome)
        if len(self._waiting) >= WRITE_AT_ONCE:
            self.write()

    def failed(self, outcome: Failed) -> None:
        now, source = timezone.now(), outcome.source
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


def _success(interval_minutes: int) -> dict[str, object]:
    now = timezone.now()
    return {
        "last_fetched_at": now,
        "last_success_at": now,
        "consecutive_failures": 0,
        "last_error": "",
        "next_fetch_at": now + timedelta(minutes=interval_minutes),
    }
