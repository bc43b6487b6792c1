"""What the bot's `/healthcheck` tells: the checks of `manage.py status` and its figures, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy
from prometheus_client.core import Metric
from prometheus_client.samples import Sample

from publishing.bot.probes import Fact, plug_in
from publishing.models import Publication
from usage.moments import age
from warandpeace import health
from warandpeace.management.commands.status import SHOWN_OF_A_KIND, figures

CHECKS = {
    "migrations": gettext_lazy("migrations"),
    "database": gettext_lazy("database"),
    "sweeper": gettext_lazy("sweeper"),
    "messages": gettext_lazy("messages"),
    "alerts": gettext_lazy("alerts"),
    "backups": gettext_lazy("backups"),
}
# The gauges that say more than the checks have said, by what they are called on a phone.
FIGURES = {
    "last_article_age_minutes": gettext_lazy("age of the newest article"),
    "publications": gettext_lazy("not out yet"),
    "publications_oldest_seconds": gettext_lazy("longest wait"),
    "source_age_seconds": gettext_lazy("quiet sources"),
    "sources_failing": gettext_lazy("failing sources"),
    "dlq_size": gettext_lazy("dead letters"),
    "budget_used_ratio": gettext_lazy("budget used"),
    "processes_alive": gettext_lazy("processes"),
}
UNITS = {"_minutes": timedelta(minutes=1), "_seconds": timedelta(seconds=1)}


def facts() -> Iterator[Fact]:
    """The checks of `/readyz`, and the gauges if the database can be asked for them."""
    checks = health.answers()
    yield from (Fact(str(CHECKS[name]), check.detail, check.ok) for name, check in checks.items())
    if checks["migrations"].ok and checks["database"].ok:
        named = ((FIGURES[metric.name], told(metric)) for metric in figures() if metric.name in FIGURES)
        yield from (Fact(str(name), values) for name, values in named if values)


def told(metric: Metric) -> str:
    """A gauge's value, or the greatest ones of one with labels, none of them zero."""
    samples = sorted((one for one in metric.samples if one.value or not one.labels), key=lambda one: -one.value)
    return ", ".join(f"{_label(one)} {_value(one)}".strip() for one in samples[:SHOWN_OF_A_KIND])


def _label(sample: Sample) -> str:
    states = dict(Publication.State.choices)
    return " ".join(str(states.get(value, value)) for value in sample.labels.values() if value)


def _value(sample: Sample) -> str:
    for ending, unit in UNITS.items():
        if sample.name.endswith(ending):
            return age(timezone.now() - sample.value * unit)
    return f"{sample.value:.0%}" if sample.name.endswith("_ratio") else f"{sample.value:.0f}"


plug_in(facts)
