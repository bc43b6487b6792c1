"""The figures, the chart and the tables of what calls cost, as people read them: each leads to its list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from usage import budget, overview
from usage.addresses import list_url
from usage.admin.money import dollars
from usage.admin.provider import provider_pages
from usage.charts import Chart, Column, Tile
from usage.models import ApiUsageDaily, ApiUsageEvent
from usage.overview import Line, Share, Span, Totals

# Above so many days the chart has a bar a week.
MOST_BARS = 92
# So many days, or weeks, are named below the chart.
MARKS = 6
WIDTH = 1080
# From which number on people read it in units of how many, and how that is written.
GREAT = (
    (1_000_000, 1_000_000, gettext_lazy("%(number)s M")),
    (10_000, 1_000, gettext_lazy("%(number)s k")),
)


@dataclass(frozen=True)
class Row:
    """A line of a table as people read it; `limit` is the budget it stands against, in words."""

    label: str
    under: str
    url: str
    totals: Totals
    percent: int
    limit: str = ""

    @property
    def cost(self) -> str:
        return dollars(self.totals.cost_usd)


@dataclass(frozen=True)
class PurposeRow:
    share: Share
    percent: int
    url: str

    @property
    def cost(self) -> str:
        return dollars(self.share.cost_usd)

    @property
    def limit(self) -> str:
        return _("%(budget)s a day") % {"budget": dollars(self.share.daily_budget)} if self.share.daily_budget else "—"

    @property
    def reserved(self) -> str:
        return dollars(self.share.reserved_usd) if self.share.reserved_usd else ""


# --- figures --------------------------------------------------------------------------------------------------------


def tiles(span: Span, whole: Totals, limit: Decimal | None, posts: int | None) -> Iterator[Tile]:
    listed = _listed(span)
    meter = min(round(100 * whole.cost_usd / (limit * span.days)), 100) if limit else None
    yield Tile(_("Cost"), dollars(whole.cost_usd), _compared(span, whole.cost_usd), listed, meter=meter)
    failed = ngettext("%(count)s of them failed", "%(count)s of them failed", whole.failures)
    yield Tile(_("Requests"), _grouped(whole.requests), failed % {"count": _grouped(whole.failures)}, _calls(span))
    words = {"tokens_in": _short(whole.tokens_in), "tokens_out": _short(whole.tokens_out)}
    tokens = _short(whole.tokens_in + whole.tokens_out)
    yield Tile(_("Tokens"), tokens, _("%(tokens_in)s in, %(tokens_out)s out") % words, listed)
    if posts is not None:
        each = dollars(whole.cost_usd / posts) if posts else "—"
        out = ngettext("%(count)s post went out", "%(count)s posts went out", posts) % {"count": _grouped(posts)}
        yield Tile(_("Cost of a post"), each, out)


def _compared(span: Span, cost: Decimal) -> str:
    """The cost beside that of as many days before."""
    before, days = overview.cost_of(span.before), {"count": span.days}
    if not before:
        if span.days == 1:
            return _("nothing on the day before")
        return ngettext("nothing on %(count)d day before", "nothing on %(count)d days before", span.days) % days
    change = {"change": f"{round(100 * (cost - before) / before):+d}".replace("-", "\N{MINUS SIGN}")}
    if span.days == 1:
        return _("%(change)s %% against the day before") % change
    told = ngettext(
        "%(change)s %% against %(count)d day before", "%(change)s %% against %(count)d days before", span.days
    )
    return told % (change | days)


def _grouped(number: int) -> str:
    return number_format(number, force_grouping=True)


def _short(number: int) -> str:
    """A great number in thousands or millions."""
    for least, unit, name in GREAT:
        if number >= least:
            return str(name) % {"number": number_format(Decimal(number) / unit, 1)}
    return _grouped(number)


def chart(span: Span, days: list[Line], limit: Decimal | None) -> Chart:
    """The cost by days, or by weeks where there are many; the requests while nothing costs anything."""
    totals = {line.values[0]: line.totals for line in days}
    is_free = not any(of.cost_usd for of in totals.values())
    step = 1 if span.days <= MOST_BARS else 7
    starts = span.each()[::step]
    every = -(-len(starts) // MARKS)
    columns = []
    for place, start in enumerate(starts):
        part = Span(start, min(start + timedelta(days=step - 1), span.last))
        of = overview.total(totals.get(day, Totals()) for day in part.each())
        value = float(of.requests if is_free else of.cost_usd)
        label = date_format(start, "d.m") if place % every == 0 else ""
        columns.append(Column(value, label, _told(part, of), _listed(part)))
    level = float(limit * step) if limit and not is_free else None
    top = max([column.value for column in columns] + [level or 0])
    return Chart(columns, level=level, top=_grouped(round(top)) if is_free else dollars(Decimal(str(top))), width=WIDTH)


def _told(part: Span, of: Totals) -> str:
    days = date_format(part.first, "j E") + (f" – {date_format(part.last, 'j E')}" if part.days > 1 else "")
    requests = ngettext("%(count)s request", "%(count)s requests", of.requests) % {"count": _grouped(of.requests)}
    return f"{days}: {dollars(of.cost_usd)}, {requests}"


# --- tables ---------------------------------------------------------------------------------------------------------


def rows(way: str, lines: list[Line], span: Span, today: date) -> list[Row]:
    label, limits = LABELS[way], _limits(today) if way == "provider" else {}
    return [
        Row(
            *label(line.values),
            url=_listed_of(way, line.values, span),
            totals=line.totals,
            percent=round(100 * line.part),
            limit=limits.get(str(line.values[0]), ""),
        )
        for line in lines
    ]


LABELS: dict[str, Callable[[tuple[Any, ...]], tuple[str, str]]] = {
    "day": lambda values: (date_format(values[0], "j E Y"), ""),
    "provider": lambda values: (values[0], ""),
    "model": lambda values: (values[1] or "—", values[0]),
    "key": lambda values: (values[1][:8] or _("without a key"), values[0]),
}


def _listed_of(way: str, values: tuple[Any, ...], span: Span) -> str:
    """The list of the rows that a line sums up."""
    if way == "day":
        return _listed(Span(values[0], values[0]))
    names = (f"{name}__exact" for name in overview.WAYS[way])
    return _listed(span, **dict(zip(names, map(str, values), strict=True)))


def _limits(today: date) -> dict[str, str]:
    """How much of each provider's budget of today is gone, in words."""
    return {
        standing.provider: _("today %(used)s of %(limit)s")
        % {"used": dollars(standing.used), "limit": dollars(standing.limit)}
        for standing in budget.standings(today)
        if standing.purpose == budget.ALL
    }


def purposes(span: Span) -> list[PurposeRow]:
    shares = overview.purposes(span)
    whole = sum((share.cost_usd for share in shares), overview.NOTHING)
    pages = provider_pages()
    return [
        PurposeRow(
            share,
            round(100 * share.cost_usd / whole) if whole else 0,
            pages.get(share.provider, ""),
        )
        for share in shares
    ]


def _listed(span: Span, **columns: str) -> str:
    """The list of the totals of days, narrowed to these."""
    return list_url(ApiUsageDaily, **columns, day__gte=span.first, day__lte=span.last)


def _calls(span: Span) -> str:
    """The list of the calls themselves, as far as they are kept."""
    begins, ends = (datetime.combine(day, time.min, UTC) for day in (span.first, span.last + timedelta(days=1)))
    return list_url(ApiUsageEvent, started_at__gte=begins, started_at__lt=ends)
