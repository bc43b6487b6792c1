"""The *try it* button of a source: what its selectors, saved or not, would read from a page."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from articles.admin import selecting
from articles.models import Source
from articles.sites import trying
from articles.sites.selectors import SECTIONS


def view(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Read one page with the form's selectors and show what was found. Nothing is stored.

    The admin asks no other server anywhere else. Here somebody waits for just this page, for ten seconds at most.
    """
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not (request.user.has_perm("articles.change_source") or request.user.has_perm("articles.add_source")):
        raise PermissionDenied
    kind = request.POST.get("try_kind", "")
    source = _unsaved(request)
    look = trying.look(
        source,
        kind if kind in SECTIONS else "list",
        url=request.POST.get("try_url", "").strip()[:2048],
        html=request.POST.get("try_html", "").strip(),
    )
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": _("What would be read"),
        "look": look,
        "time_zone": source.time_zone,
    }
    return TemplateResponse(request, "admin/articles/source/tried.html", context)


def _unsaved(request: HttpRequest) -> Source:
    """The source as the form has it, as far as reading a page depends on it."""
    delay = request.POST.get("delay_seconds", "").strip().replace(",", ".")
    try:
        seconds = float(delay) if delay else None
    except ValueError:
        seconds = None
    return Source(
        kind=Source.Kind.SITE,
        url=request.POST.get("url", "").strip()[:2048],
        encoding=request.POST.get("encoding", "").strip()[:40],
        time_zone=request.POST.get("time_zone", "").strip()[:64] or "Europe/Moscow",
        obey_robots="obey_robots" in request.POST,
        delay_seconds=None if seconds is None or not 0 <= seconds <= trying.DEADLINE else seconds,
        selectors=selecting.described(request.POST),
    )
