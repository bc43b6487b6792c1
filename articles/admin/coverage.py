"""The coverage map of a source: a calendar of what is stored against what its archive lists, gaps filled by a click."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from articles import coverage, reconcile
from articles.models import Source
from articles.tasks import continue_backfill
from usage.doorbell import ring


def view(model_admin: ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """A year of a source. A POST plans runs for a day, for the gaps, or for a comparison."""
    source = get_object_or_404(Source, pk=pk)
    if not model_admin.has_view_permission(request, source):
        raise PermissionDenied
    years = coverage.years(source)
    asked = request.GET.get("year", "")[:4]
    year = int(asked) if asked.isdecimal() and int(asked) in range(1990, years[0]) else years[0]
    months = coverage.year_of(source, year)
    if request.method == "POST":
        return _plan(model_admin, request, source, months)
    days = [day for month in months for day in month.days]
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": _("Coverage of %(source)s") % {"source": source},
        "source": source,
        "year": year,
        "years": years,
        "months": months,
        "stored": sum(day.stored for day in days),
        "gaps": [day for day in days if day.state == "gap"],
        "uncompared": sum(day.listed is None for day in days),
        "may_fill": request.user.has_perm("articles.add_backfillrun") and reconcile.has_archive(source),
        "has_archive": reconcile.has_archive(source),
    }
    return TemplateResponse(request, "admin/articles/source/coverage.html", context)


def _plan(model_admin: ModelAdmin, request: HttpRequest, source: Source, months: list[coverage.Month]) -> HttpResponse:
    if not request.user.has_perm("articles.add_backfillrun") or not reconcile.has_archive(source):
        raise PermissionDenied
    days = [day for month in months for day in month.days]
    if "_compare" in request.POST:
        chosen = [day.day for day in days if day.listed is None]
    elif "_gaps" in request.POST:
        chosen = [day.day for day in days if day.state == "gap"]
    else:
        chosen = [day.day for day in days if day.day == _day(request.POST.get("day", ""))]
    runs = coverage.fill(source, chosen, only_compare="_compare" in request.POST)
    for run in runs:
        ring(continue_backfill, run.pk)
    told = ngettext("%(count)d run is planned.", "%(count)d runs are planned.", len(runs)) % {"count": len(runs)}
    model_admin.message_user(request, told, messages.SUCCESS if runs else messages.WARNING)
    return HttpResponseRedirect(request.get_full_path())


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return timezone.localdate()
