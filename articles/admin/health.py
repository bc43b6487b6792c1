"""How sources are doing: the badge of each, and the page that shows all of them beside what is usual for them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin

from articles import pulse
from articles.models import Article, BackfillRun, Source
from articles.pulse import Days, Pulse
from articles.sites import rot
from usage.addresses import list_url
from usage.charts import Chart, Column
from usage.models import Alert
from usage.moments import age, when

PER_PAGE = 25
# More sources than a newsroom watches; the pulse of each is two looks into an index.
MOST_SOURCES = 500
# So much of an error stands in a badge, in characters.
LONGEST_ERROR = 48
SPARKLINE = (112, 28)
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Health:
    """How a source is doing; `tone` is info, success, warning or danger."""

    label: str
    tone: str


def health(source: Source) -> Health:
    """How its fetching is: when it was last read, or that it fails."""
    if not source.is_active:
        return Health(_("off"), "info")
    if source.consecutive_failures:
        return Health(_("failing"), "danger")
    if source.last_success_at is None:
        return Health(_("not fetched yet"), "info")
    late = timezone.now() - source.last_success_at > 2 * source.backoff(1)
    return Health(_("%(age)s ago") % {"age": age(source.last_success_at)}, "warning" if late else "success")


def news(source: Source, now: datetime) -> Health:
    """How its news are, of a source fetched by `pulse.with_pulse`: the age of the newest, or what is wrong."""
    if not source.is_active:
        return Health(_("off"), "info")
    if source.consecutive_failures:
        return Health(_failure(source), "danger")
    beat = pulse.pulse_of(source)
    if beat.newest is None:
        return Health(_("no article yet"), "info")
    if beat.pause and beat.is_late(now):
        words = {"age": age(beat.newest), "usual": timesince(now - beat.pause, now, depth=1)}
        return Health(_("%(age)s, usually %(usual)s") % words, "warning")
    # With few articles nobody knows what is usual: it is neither well nor late after a day.
    is_unknown = beat.pause is None and now - beat.newest > A_DAY
    return Health(age(beat.newest), "info" if is_unknown else "success")


def _failure(source: Source) -> str:
    attempt = _("attempt %(number)d at %(time)s") % {
        "number": source.consecutive_failures + 1,
        "time": when(source.next_fetch_at),
    }
    return f"{Truncator(source.last_error).chars(LONGEST_ERROR)} · {attempt}"


# --- the page -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A source as the page shows it. What the person may not see elsewhere is not counted here either."""

    source: Source
    news: Health
    pulse: Pulse
    days: Days
    chart: Chart
    alerts: tuple[str, ...]
    backfills: int
    letters: int

    @property
    def last_fetch(self) -> str:
        return when(self.source.last_fetched_at) if self.source.last_fetched_at else _("never")

    @property
    def last_success(self) -> str:
        return when(self.source.last_success_at) if self.source.last_success_at else ""

    @property
    def next_fetch(self) -> str:
        return when(self.source.next_fetch_at) if self.source.is_active else "—"

    @property
    def newest(self) -> str:
        return when(self.pulse.newest) if self.pulse.newest else ""


TABS: dict[str, tuple[Any, Callable[[Source, bool], bool]]] = {
    "": (gettext_lazy("All"), lambda source, ails: True),
    "ailing": (gettext_lazy("Need attention"), lambda source, ails: source.is_active and ails),
    "well": (gettext_lazy("Well"), lambda source, ails: source.is_active and not ails),
    "off": (gettext_lazy("Off"), lambda source, ails: not source.is_active),
}


def view(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """All sources, those that need somebody first. `?show=` is one of `TABS`."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    now = timezone.now()
    sources = list(pulse.with_pulse(Source.objects.all())[:MOST_SOURCES])
    alerts = _alerts(sources)
    ailing = {source.pk for source in sources if source.pk in alerts or news(source, now).tone in {"danger", "warning"}}
    sources.sort(key=lambda source: (not source.is_active, source.pk not in ailing, source.name.casefold()))
    counted = Counter(name for name, (_label, fits) in TABS.items() for one in sources if fits(one, one.pk in ailing))
    wanted = request.GET.get("show", "")
    shown = wanted if wanted in TABS else ""
    chosen = [source for source in sources if TABS[shown][1](source, source.pk in ailing)]
    page = Paginator(chosen, PER_PAGE).get_page(request.GET.get("p"))
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": _("Health of the sources"),
        "now": timezone.localtime(now),
        "tabs": [(name, label, counted[name]) for name, (label, _fits) in TABS.items()],
        "shown": shown,
        "page": page,
        "rows": _rows(request, list(page), alerts, now),
        "days": pulse.DAYS,
        "code": rot.CODE,
    }
    return TemplateResponse(request, "admin/articles/source/pulse.html", context)


def _rows(request: HttpRequest, sources: list[Source], alerts: dict[int, list[str]], now: datetime) -> list[Row]:
    may = request.user.has_perm
    days = pulse.days_of(sources, now)
    letters = pulse.letters_of(sources) if may("articles.view_deadletter") else {}
    live = BackfillRun.objects.live().filter(source__in=[source.pk for source in sources])
    backfills = Counter(live.values_list("source", flat=True)) if may("articles.view_backfillrun") else Counter()
    return [
        Row(
            source=source,
            news=news(source, now),
            pulse=pulse.pulse_of(source),
            days=days[source.pk],
            chart=_sparkline(source, days[source.pk]),
            alerts=tuple(alerts.get(source.pk, ())),
            backfills=backfills[source.pk],
            letters=len(letters.get(source.pk, ())),
        )
        for source in sources
    ]


def _sparkline(source: Source, days: Days) -> Chart:
    width, height = SPARKLINE
    columns = [Column(count, title=_told(day, count), url=_articles(source, day)) for day, count in days.by_day()]
    return Chart(columns, level=days.usual or None, width=width, height=height)


def _told(day: Any, count: int) -> str:
    articles = ngettext("%(count)s article", "%(count)s articles", count) % {"count": number_format(count)}
    return f"{date_format(day, 'j E')}: {articles}"


def _articles(source: Source, day: Any) -> str:
    """The list of a source's articles of one day."""
    begins = timezone.make_aware(datetime.combine(day, time.min))
    ends = timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
    return list_url(Article, source__id__exact=source.pk, published_at__gte=begins, published_at__lt=ends)


def _alerts(sources: list[Source]) -> dict[int, list[str]]:
    """What the open alerts say of each source's pages, without its name. Their subjects begin with its short name."""
    numbers = {source.slug: source.pk for source in sources}
    found = defaultdict[int, list[str]](list)
    for subject, text in Alert.objects.open().filter(code=rot.CODE).values_list("subject", "text"):
        number = numbers.get(subject.partition("/")[0])
        if number is not None:
            found[number].append(text.partition(": ")[2] or text)
    return dict(found)
