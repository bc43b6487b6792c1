"""Gauges read from the database when Prometheus asks, each by an index and in bounded time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.core.cache import cache
from django.db.models import Count, Min
from django.db.models.functions import Coalesce
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from articles.models import Article, DeadLetter, Source
from publishing.models import Message, Publication
from usage.budget import standings
from usage.models import Alert, ProcessSession, utc_day
from warandpeace.models import Backup, Heartbeat, Transfer

# Prometheus and people may ask often; the rows are counted once in so many seconds.
KEEP_FIGURES = 5

# More sources than this are not named one by one: each is a label.
SOURCES_NAMED = 200

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


def _labelled(name: str, text: str, labels: list[str], values: Iterable[tuple[list[str], float]]) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=labels)
    for of, value in values:
        gauge.add_metric(of, value)
    return gauge


def _publications(now: datetime) -> Iterator[Metric]:
    """How many publications wait, and since when the longest of them: for a decision, or past their time."""
    since = Coalesce("scheduled_for", "approved_at", "created_at")
    waiting = Publication.objects.not_out_yet().order_by().values_list("state")
    found = {state: (count, oldest) for state, count, oldest in waiting.annotate(count=Count("pk"), oldest=Min(since))}
    states = [(state.value, *found.get(state.value, (0, now))) for state in Publication.UNFINISHED]
    yield _labelled(
        "publications",
        "Publications that are not out yet, by state.",
        ["state"],
        (([state], count) for state, count, _oldest in states),
    )
    yield _labelled(
        "publications_oldest_seconds",
        "How long the longest waiting publication of each state has waited.",
        ["state"],
        (([state], max((now - oldest).total_seconds(), 0)) for state, _count, oldest in states),
    )


def _sources(now: datetime) -> Iterator[Metric]:
    active = Source.objects.active()
    seen = active.exclude(last_success_at=None).order_by("last_success_at").values_list("slug", "last_success_at")
    yield _labelled(
        "source_age_seconds",
        "Since a watched source was last read well, those that are quiet the longest.",
        ["source"],
        (([slug], (now - last).total_seconds()) for slug, last in seen[:SOURCES_NAMED] if last),
    )
    failing = active.filter(consecutive_failures__gt=0).count()
    yield _single("sources_failing", "Watched sources whose last fetch failed.", failing)


def _budgets(now: datetime) -> Metric:
    """Money that is spent or set aside, as a share of its budget."""
    return _labelled(
        "budget_used_ratio",
        "How much of the UTC day's budget is gone; no purpose: of the provider's whole budget.",
        ["provider", "purpose"],
        (
            ([standing.provider, standing.purpose], float(standing.used / standing.limit))
            for standing in standings(utc_day(now))
            if standing.limit
        ),
    )


def _alerts() -> Metric:
    codes = Alert.objects.open().order_by().values_list("code").annotate(Count("pk"))
    return _labelled("alerts_open", "Alerts nobody has seen to, by kind.", ["code"], (([c], n) for c, n in codes))


def _processes(now: datetime) -> Metric:
    alive = ProcessSession.alive(now).items()
    return _labelled("processes_alive", "Processes seen lately, by role.", ["role"], (([r], n) for r, n in alive))


def _transfer_age(now: datetime) -> float | None:
    last = Transfer.objects.filter(state=Transfer.State.PROVED).order_by("-finished_at").first()
    return (now - last.finished_at).total_seconds() if last and last.finished_at else None


def _backup_age(now: datetime) -> float | None:
    age = Backup.age(now)
    return None if age is None else age.total_seconds()


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
    now = timezone.now()
    age = Heartbeat.age("sweeper")
    sweeper_age = None if age is None else age.total_seconds()
    return [
        _single("last_article_age_minutes", "Age of the newest article, in minutes.", _last_article_age()),
        _single("dlq_size", "Dead letters.", DeadLetter.objects.count()),
        _single("messages_unresolved", "Messages nobody knows the outcome of.", Message.objects.unresolved().count()),
        _single("sweeper_age_seconds", "Since the sweeper last ran.", sweeper_age),
        *_publications(now),
        *_sources(now),
        _budgets(now),
        _alerts(),
        _processes(now),
        _single("transfer_age_seconds", "Since the last transfer into this database was proved.", _transfer_age(now)),
        _single("backup_age_seconds", "Since the last verified backup was begun.", _backup_age(now)),
        _session_starts(),
    ]


class DatabaseGauges(Collector):
    def collect(self) -> Iterator[Metric]:
        yield from cache.get_or_set("gauges", figures, KEEP_FIGURES) or []
