"""Gauges read from the database when Prometheus asks, each by an index and in bounded time."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.cache import cache
from django.db.models import Count
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from articles.models import Article, DeadLetter
from publishing.models import Message, Publication
from usage.models import ProcessSession
from warandpeace.models import Heartbeat

# Prometheus and people may ask often; the rows are counted once in so many seconds.
KEEP_FIGURES = 5

# Every role has begun anew at least once within so many of the newest sessions.
NEWEST_SESSIONS = 100


def _single(name: str, text: str, value: float | None) -> Metric:
    """A gauge without labels; it is left out where there is no value."""
    gauge = GaugeMetricFamily(name, text)
    if value is not None:
        gauge.add_metric([], value)
    return gauge


def _last_article_age() -> float | None:
    newest = Article.objects.order_by("-published_at", "-id").values_list("published_at", flat=True).first()
    return None if newest is None else (timezone.now() - newest).total_seconds() / 60


def _publications() -> Metric:
    gauge = GaugeMetricFamily("publications", "Publications that are not out yet, by state.", labels=["state"])
    waiting = Publication.objects.not_out_yet().order_by().values_list("state").annotate(Count("pk"))
    counts = dict(waiting)
    for state in Publication.UNFINISHED:
        gauge.add_metric([state.value], counts.get(state.value, 0))
    return gauge


def _session_starts() -> Metric:
    gauge = GaugeMetricFamily(
        "session_start_time_seconds", "When each role's newest process began (Unix time).", labels=["role"]
    )
    newest: dict[str, float] = {}
    sessions = ProcessSession.objects.order_by("-started_at").values_list("role", "started_at")
    for role, started_at in sessions[:NEWEST_SESSIONS]:
        newest.setdefault(role, started_at.timestamp())
    for role, started in newest.items():
        gauge.add_metric([role], started)
    return gauge


def figures() -> list[Metric]:
    """All gauges with their present values."""
    age = Heartbeat.age("sweeper")
    sweeper_age = None if age is None else age.total_seconds()
    return [
        _single("last_article_age_minutes", "Age of the newest article, in minutes.", _last_article_age()),
        _single("dlq_size", "Dead letters.", DeadLetter.objects.count()),
        _single("messages_unresolved", "Messages nobody knows the outcome of.", Message.objects.unresolved().count()),
        _single("sweeper_age_seconds", "Since the sweeper last ran.", sweeper_age),
        _publications(),
        _session_starts(),
    ]


class DatabaseGauges(Collector):
    def collect(self) -> Iterator[Metric]:
        yield from cache.get_or_set("gauges", figures, KEEP_FIGURES) or []
