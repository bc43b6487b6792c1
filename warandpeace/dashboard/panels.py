"""What stands below the figures: the sources, the money, the archives that are read, and what keeps it all running."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.contrib.auth import get_permission_codename
from django.db.models import Model, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.timesince import timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from articles import pulse
from articles.admin.health import Health, news
from articles.models import BackfillRun, Source
from usage import budget
from usage.addresses import list_url
from usage.admin import dollars, provider_pages
from usage.models import ApiUsageDaily, ProcessSession, utc_day
from usage.moments import age
from warandpeace.backups.models import Backup
from warandpeace.models import Heartbeat, SignIn, Transfer

SOURCES_SHOWN = 8
BACKFILLS_SHOWN = 3
PROCESSES = {
    "web": gettext_lazy("Pages"),
    "worker": gettext_lazy("Workers"),
    "beat": gettext_lazy("Scheduler"),
    "bot": gettext_lazy("Bot"),
    "backup": gettext_lazy("Backup service"),
}


# --- sources --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SourceLine:
    source: Source
    news: Health
    url: str


def sources(now: datetime) -> list[SourceLine]:
    """The sources that fail, then those that are late, then those that were quiet the longest."""
    active = pulse.with_pulse(Source.objects.active()).order_by("-consecutive_failures", "last_success_at")
    ranks = {"danger": 0, "warning": 1}
    lines = [
        SourceLine(source, news(source, now), reverse("admin:articles_source_change", args=[source.pk]))
        for source in active[: SOURCES_SHOWN * 8]
    ]
    lines.sort(key=lambda line: (ranks.get(line.news.tone, 2), pulse.pulse_of(line.source).newest or now))
    return lines[:SOURCES_SHOWN]


# --- money ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Purse:
    """What a provider's calls have cost today, or those for one purpose, against the budget if there is one."""

    label: str
    spent: str
    limit: str
    meter: int | None
    is_spent: bool
    url: str
    is_part: bool = False


@dataclass(frozen=True)
class Spending:
    """The money of the UTC day: all together, and by provider and purpose."""

    spent: str
    limit: str
    meter: int | None
    exhausted: tuple[str, ...]
    purses: list[Purse]
    url: str


def spending(now: datetime) -> Spending:
    """What today's calls have cost and set aside, by provider."""
    day = utc_day(now)
    costs = dict(ApiUsageDaily.objects.filter(day=day).order_by().values_list("provider").annotate(sum=Sum("cost_usd")))
    standings, refused = budget.standings(day), tuple(budget.exhausted(day))
    limit = sum((one.limit for one in standings if one.purpose == budget.ALL), Decimal(0))
    spent = sum(costs.values(), Decimal(0))
    return Spending(
        spent=dollars(spent),
        limit=dollars(limit) if limit else "",
        meter=_percent(spent, limit),
        exhausted=refused,
        purses=list(_purses(costs, standings, refused)),
        url=f"{reverse('admin:usage_apiusagedaily_overview')}?period=today",
    )


def _purses(costs: dict[str, Decimal], standings: list[budget.Standing], refused: tuple[str, ...]) -> Iterator[Purse]:
    """Providers by their cost, each followed by the budgets of its purposes."""
    pages = provider_pages()
    whole = {one.provider: one for one in standings if one.purpose == budget.ALL}
    names = {*costs, *(one.provider for one in standings)}
    for name in sorted(names, key=lambda name: (-costs.get(name, Decimal(0)), name)):
        url = pages.get(name, "")
        own = whole.get(name)
        yield _purse(name, own.used if own else costs.get(name, Decimal(0)), own, url, name in refused)
        for part in standings:
            if part.provider == name and part.purpose:
                yield _purse(part.purpose, part.used, part, url, f"{name} {part.purpose}" in refused)


def _purse(label: str, used: Decimal, standing: budget.Standing | None, url: str, is_spent: bool) -> Purse:
    return Purse(
        label=label,
        spent=dollars(used),
        limit=dollars(standing.limit) if standing else "",
        meter=_percent(used, standing.limit) if standing else None,
        is_spent=is_spent,
        url=url,
        is_part=bool(standing and standing.purpose),
    )


def _percent(part: Decimal, whole: Decimal) -> int | None:
    return min(int(100 * part / whole), 100) if whole else None


# --- archives -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Backfill:
    run: BackfillRun
    told: str
    percent: int
    left: str
    url: str


def backfills(now: datetime) -> list[Backfill]:
    """The walks through archives that are under way."""
    running = BackfillRun.objects.filter(state=BackfillRun.State.RUNNING).select_related("source")
    return [_backfill(run, now) for run in running.order_by("-pk")[:BACKFILLS_SHOWN]]


def _backfill(run: BackfillRun, now: datetime) -> Backfill:
    days = _("%(done)d of %(days)d days") % {"done": run.days_done, "days": run.days}
    new = ngettext("%(count)s new article", "%(count)s new articles", run.created_count)
    return Backfill(
        run=run,
        told=f"{days} · {new % {'count': number_format(run.created_count, force_grouping=True)}}",
        percent=min(100 * run.days_done // max(run.days, 1), 100),
        left=timeuntil(now + run.time_left, now, depth=1) if run.time_left else "",
        url=reverse("admin:articles_backfillrun_change", args=[run.pk]),
    )


# --- how it runs ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Light:
    """One part of the system and how it is; it leads to its list where the person may see that."""

    label: str
    status: str
    tone: str
    url: str = ""


def lights(request: HttpRequest, now: datetime) -> Iterator[Light]:
    """Whether background work goes on, which processes live, and how old the last backup is."""
    processes = _list_of(request, ProcessSession)
    yield _sweeper(now, processes)
    yield from _processes(now, processes)
    yield _backups(now, _list_of(request, Backup))
    if url := _list_of(request, Transfer):
        yield from _transfers(url)
    if url := _list_of(request, SignIn):
        people = SignIn.objects.open().count()
        told = ngettext("%(count)d session", "%(count)d sessions", people) % {"count": people}
        yield Light(_("Signed in"), told, "info", url)


def _list_of(request: HttpRequest, model: type[Model]) -> str:
    """The list of the model; empty for a person who may not see it."""
    may_see = f"{model._meta.app_label}.{get_permission_codename('view', model._meta)}"
    return list_url(model) if request.user.has_perm(may_see) else ""


def _sweeper(now: datetime, url: str) -> Light:
    late = Heartbeat.age("sweeper", now)
    if late is None:
        return Light(_("Background work"), _("has not begun"), "warning", url)
    tone = "danger" if late > Heartbeat.LATE else "success"
    return Light(_("Background work"), _("%(age)s ago") % {"age": age(now - late)}, tone, url)


def _processes(now: datetime, url: str) -> Iterator[Light]:
    """Workers and the scheduler always, the bot where it has a token; others only while they live."""
    counts = ProcessSession.alive(now)
    needed = {"worker", "beat", *(["bot"] if settings.TELEGRAM_BOT_TOKEN else [])}
    for role, label in PROCESSES.items():
        count = counts.get(role, 0)
        if not count and role not in needed:
            continue
        told = ngettext("%(count)d alive", "%(count)d alive", count) % {"count": count} if count else _("none alive")
        yield Light(str(label), told, "success" if count else "danger", url and f"{url}?role__exact={role}")


def _backups(now: datetime, url: str) -> Light:
    last = Backup.last_verified()
    if last is None:
        return Light(_("Backups"), _("none yet"), "warning", url)
    tone = "danger" if now - last.started_at > Backup.OLD else "success"
    return Light(_("Backups"), _("verified, %(age)s old") % {"age": age(last.started_at)}, tone, url)


def _transfers(url: str) -> Iterator[Light]:
    """The last transfer into this database, if there ever was one."""
    last = Transfer.objects.order_by("-started_at").first()
    if last is None:
        return
    tones = {Transfer.State.PROVED: "success", Transfer.State.RUNNING: "info", Transfer.State.INTERRUPTED: "warning"}
    told = f"{last.get_state_display()}, {age(last.finished_at or last.started_at)}"
    yield Light(_("Last transfer"), told, tones.get(Transfer.State(last.state), "danger"), url)
