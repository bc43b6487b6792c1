"""The first page of the admin: how the newsroom stands. Each figure comes from rows and leads to their list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import ExtractHour
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from articles.admin.source import health
from articles.models import Article, BackfillRun, Source
from publishing.models import Message, Publication
from usage.admin import dollars
from usage.budget import exhausted
from usage.listing import capped_count
from usage.models import ApiUsageDaily, ProcessSession, Provider
from usage.moments import age
from warandpeace.backups.models import Backup
from warandpeace.charts import HourlyChart
from warandpeace.models import Heartbeat

CAP = 999
SOURCES_SHOWN = 8
BACKFILLS_SHOWN = 3
# The sweeper is rung every few seconds; after this it has stopped, whatever lives.
SWEEPER_LATE = timedelta(minutes=1)
PROCESS_LATE = timedelta(minutes=3)
# As long as the alert BackupOld waits.
BACKUP_OLD = timedelta(hours=36)
PROCESSES = {
    "web": gettext_lazy("Pages"),
    "worker": gettext_lazy("Workers"),
    "beat": gettext_lazy("Scheduler"),
    "bot": gettext_lazy("Bot"),
    "backup": gettext_lazy("Backup service"),
}


@dataclass(frozen=True)
class Tile:
    """One figure: where it leads, and whether somebody must act."""

    label: str
    figure: str
    note: str
    url: str
    alarm: bool = False
    meter: int | None = None


@dataclass(frozen=True)
class Light:
    """One part of the system and how it is."""

    label: str
    status: str
    tone: str


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's callback: the context of the index page, with what this person may see."""
    now = timezone.now()
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    may = request.user.has_perm
    return context | {
        "title": _("Dashboard"),
        "now": timezone.localtime(now),
        "tiles": list(_tiles(request, now, midnight)),
        "chart": _chart(midnight) if may("articles.view_article") else None,
        "sources": _sources() if may("articles.view_source") else [],
        "backfills": _backfills() if may("articles.view_backfillrun") else [],
        "lights": list(_lights(now)),
    }


# --- figures --------------------------------------------------------------------------------------------------------


def _tiles(request: HttpRequest, now: datetime, midnight: datetime) -> Iterator[Tile]:
    may = request.user.has_perm
    if may("articles.view_article"):
        yield _last_article()
    if may("publishing.view_publication"):
        yield _awaiting()
        yield _out_today(midnight)
        yield _needs_person()
    if may("usage.view_apiusagedaily"):
        yield _spend(now)


def _last_article() -> Tile:
    stored = Article.objects.order_by("-pk").values_list("created_at", flat=True).first()
    url = reverse("admin:articles_article_changelist")
    if stored is None:
        return Tile(_("Last article"), "—", _("none yet"), url)
    return Tile(_("Last article"), age(stored), _("ago"), url)


def _awaiting() -> Tile:
    waiting = Publication.objects.waiting()
    count = capped_count(waiting, CAP)
    oldest = waiting.order_by("created_at").values_list("created_at", flat=True).first()
    note = _("the oldest for %(age)s") % {"age": age(oldest)} if oldest else _("nobody waits")
    return Tile(_("Await a decision"), _capped(count), note, reverse("admin:publishing_pendingpublication_changelist"))


def _out_today(midnight: datetime) -> Tile:
    out = Publication.objects.filter(published_at__gte=midnight).count()
    articles = _articles_of_day(midnight).count()
    note = ngettext("of %(count)d article", "of %(count)d articles", articles) % {"count": articles}
    url = reverse("admin:publishing_publication_changelist") + "?state__exact=published"
    return Tile(_("Out today"), str(out), note, url)


def _needs_person() -> Tile:
    count = capped_count(Message.objects.unresolved(), CAP)
    note = ngettext("message without an answer", "messages without an answer", count) if count else _("all is clear")
    url = reverse("admin:publishing_pendingpublication_changelist") + "?stage=person"
    return Tile(_("Need a person"), _capped(count), note, url, alarm=count > 0)


def _spend(now: datetime) -> Tile:
    day = now.astimezone(UTC).date()
    spent = ApiUsageDaily.objects.filter(day=day).aggregate(sum=Sum("cost_usd"))["sum"] or Decimal(0)
    budget = Provider.objects.filter(is_enabled=True).aggregate(sum=Sum("daily_budget"))["sum"]
    note = _("of %(budget)s") % {"budget": dollars(budget)} if budget else _("no budget is set")
    meter = min(int(100 * spent / budget), 100) if budget else None
    if spent_budgets := exhausted(day):
        note = _("budget spent: %(names)s") % {"names": ", ".join(spent_budgets)}
    url = reverse("admin:usage_apiusagedaily_changelist")
    return Tile(_("Spent today (UTC)"), dollars(spent), note, url, alarm=bool(spent_budgets), meter=meter)


def _capped(count: int) -> str:
    return f"{CAP}+" if count > CAP else str(count)


# --- the day by hours -----------------------------------------------------------------------------------------------


def _articles_of_day(midnight: datetime) -> QuerySet[Article]:
    return Article.objects.filter(published_at__gte=midnight, published_at__lt=midnight + timedelta(days=1))


def _chart(midnight: datetime) -> HourlyChart:
    publications = Publication.objects.filter(published_at__gte=midnight)
    return HourlyChart(articles=_by_hour(_articles_of_day(midnight)), publications=_by_hour(publications))


def _by_hour(rows: QuerySet[Any]) -> dict[int, int]:
    """How many rows fall into each hour of the day in `settings.TIME_ZONE`."""
    hours = rows.order_by().annotate(hour=ExtractHour("published_at")).values_list("hour").annotate(count=Count("pk"))
    return dict(hours)


# --- how it runs ----------------------------------------------------------------------------------------------------


def _sources() -> list[dict[str, Any]]:
    """The sources that fail, then those that were quiet the longest."""
    active = Source.objects.active().order_by("-consecutive_failures", "last_success_at")[:SOURCES_SHOWN]
    return [
        {"source": source, "health": health(source), "url": reverse("admin:articles_source_change", args=[source.pk])}
        for source in active
    ]


def _backfills() -> list[BackfillRun]:
    running = BackfillRun.objects.filter(state=BackfillRun.State.RUNNING).select_related("source")
    return list(running.order_by("-pk")[:BACKFILLS_SHOWN])


def _lights(now: datetime) -> Iterator[Light]:
    beat = Heartbeat.objects.filter(name="sweeper").values_list("beat_at", flat=True).first()
    if beat is None:
        yield Light(_("Background work"), _("has not begun"), "warning")
    else:
        tone = "danger" if now - beat > SWEEPER_LATE else "success"
        yield Light(_("Background work"), _("%(age)s ago") % {"age": age(beat)}, tone)
    yield _backups(now)
    alive = Count("pk", filter=Q(last_seen_at__gte=now - PROCESS_LATE))
    roles = ProcessSession.objects.filter(ended_at=None).order_by("role").values_list("role").annotate(alive=alive)
    for role, count in roles:
        if count:
            yield Light(
                str(PROCESSES.get(role, role)),
                ngettext("%(count)d alive", "%(count)d alive", count) % {"count": count},
                "success",
            )


def _backups(now: datetime) -> Light:
    last = Backup.last_verified()
    if last is None:
        return Light(_("Backups"), _("none yet"), "warning")
    tone = "danger" if now - last.started_at > BACKUP_OLD else "success"
    return Light(_("Backups"), _("verified, %(age)s old") % {"age": age(last.started_at)}, tone)
