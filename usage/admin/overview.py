"""What the calls cost: some days by provider, model, key and purpose, beside the budgets and the days before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.widgets import INPUT_CLASSES

from usage import exporting, overview
from usage.admin import figures
from usage.admin.money import dollars
from usage.models import ApiUsageDaily, utc_day
from usage.overview import Span

PERIODS: dict[str, tuple[str | Promise, int]] = {
    "today": (gettext_lazy("Today"), 1),
    "week": (gettext_lazy("7 days"), 7),
    "month": (gettext_lazy("30 days"), 30),
    "quarter": (gettext_lazy("90 days"), 90),
    "year": (gettext_lazy("A year"), 365),
}
USUAL = "month"
YEARS = range(2000, 2100)
TABLES: dict[str, str | Promise] = {
    "provider": gettext_lazy("By provider"),
    "model": gettext_lazy("By model"),
    "key": gettext_lazy("By key"),
    "purpose": gettext_lazy("By purpose"),
    "day": gettext_lazy("By day"),
}
PURPOSE_FILE = ("provider", "purpose", "cost_usd", "reserved_usd", "daily_budget")


# What a browser's own calendar takes and gives.
DAY_INPUT = forms.DateInput(attrs={"type": "date", "class": " ".join(INPUT_CLASSES)}, format="%Y-%m-%d")


class SpanForm(forms.Form):
    """Days that somebody chooses."""

    first = forms.DateField(label=gettext_lazy("From"), widget=DAY_INPUT)
    last = forms.DateField(label=gettext_lazy("to"), widget=DAY_INPUT)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if {"first", "last"} <= cleaned.keys():
            if cleaned["first"] > cleaned["last"]:
                raise forms.ValidationError(_("The first day comes after the last one."))
            if cleaned["first"].year not in YEARS or cleaned["last"].year not in YEARS:
                raise forms.ValidationError(_("Choose days of this century."))
            if Span(**cleaned).days > overview.LONGEST:
                raise forms.ValidationError(_("A year at the most is shown at once."))
        return cleaned


def view(model_admin: ModelAdmin, request: HttpRequest, posts: Callable[[Span], int | None]) -> HttpResponseBase:
    """The page; `?period=` is one of `PERIODS`, or `?first=` and `?last=` are days. A POST takes a table as a file.

    `posts` tells how many posts went out on the days of a span, where anybody knows.
    """
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    today = utc_day(timezone.now())
    form = SpanForm(request.GET) if "first" in request.GET else None
    period = request.GET.get("period", USUAL)
    period = "" if form and form.is_valid() else period if period in PERIODS else USUAL
    span = Span(**form.cleaned_data) if form and not period else Span(_begin(today, period), today)
    if request.method == "POST":
        return _file(request, span)
    lines = {way: overview.lines(span, way) for way in overview.WAYS}
    whole = overview.total(line.totals for line in lines["provider"])
    limit = overview.daily_budget()
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": _("Usage and cost"),
        "span": span,
        "periods": [(name, label) for name, (label, _days) in PERIODS.items()],
        "period": period,
        "form": form or SpanForm(initial={"first": span.first, "last": span.last}),
        "tiles": list(figures.tiles(span, whole, limit, posts(span))),
        "chart": figures.chart(span, lines["day"], limit),
        "by_requests": not whole.cost_usd,
        "is_by_weeks": span.days > figures.MOST_BARS,
        "limit": dollars(limit) if limit else "",
        "tables": [
            (way, TABLES[way], figures.rows(way, lines[way], span, today)) for way in ("provider", "model", "key")
        ],
        "purposes": figures.purposes(span),
        "days": figures.rows("day", lines["day"], span, today),
        "files": TABLES.items(),
        "is_empty": not whole.requests,
        "first_day": overview.first_day() if not whole.requests else None,
    }
    return TemplateResponse(request, "admin/usage/overview.html", context)


def _begin(today: date, period: str) -> date:
    return today - timedelta(days=PERIODS[period][1] - 1)


# --- files ----------------------------------------------------------------------------------------------------------


def _file(request: HttpRequest, span: Span) -> HttpResponseBase:
    form, table = request.POST.get("format", ""), request.POST.get("table", "")
    if form not in exporting.FORMATS or table not in TABLES:
        return HttpResponse("format: csv, xlsx or json\n", status=400, content_type="text/plain")
    exporting.note(request, ApiUsageDaily, _("Usage and cost"), f"export {form} {table} {span.first} {span.last}")
    stem = f"usage-by-{table}-{span.first}-{span.last}"
    if table == overview.PURPOSE:
        shares = overview.purposes(span)
        return exporting.as_file(
            form, PURPOSE_FILE, ([getattr(share, name) for name in PURPOSE_FILE] for share in shares), stem
        )
    rows = (
        (*line.values, *(getattr(line.totals, name) for name in overview.AMOUNTS))
        for line in overview.lines(span, table)
    )
    return exporting.as_file(form, overview.columns_of(table), rows, stem)
