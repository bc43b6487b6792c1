"""The public page, and the figures for Prometheus."""

from __future__ import annotations

import ipaddress
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from articles.models import Article
from publishing.models import Channel, Publication
from warandpeace.gauges import DatabaseGauges

# Strangers may look as often as they like; the rows are counted once in so many seconds.
KEEP_STATE = 3
# Where the icon lies changes with its content; browsers may remember that for a day, in seconds.
KEEP_ICON = 86_400

# A proxy in front of us sets one of these, so a request with one does not come from this machine's own Prometheus.
PROXY_HEADERS = ("X-Forwarded-For", "Forwarded", "X-Real-IP")


def _state() -> dict[str, Any]:
    """What the public page says of the newsroom."""
    sandboxes = Channel.objects.filter(kind=Channel.Kind.SANDBOX)
    return {
        "sandboxes": list(sandboxes.values("slug", "name")),
        "articles": Article.objects.count(),
        "waiting": Publication.objects.waiting().count(),
        "published": Publication.objects.filter(published_at__isnull=False).count(),
    }


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this is, where to go, and how it does."""
    return render(request, "home.html", cache.get_or_set("home", _state, KEEP_STATE))


@cache_control(public=True, max_age=KEEP_ICON)
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """The icon that browsers ask for by themselves, before or without reading what a page says of its own."""
    return redirect(static("warandpeace/logo.svg"))


def may_read_metrics(request: HttpRequest) -> bool:
    """The configured bearer token, an operator's session, or this machine itself without a proxy between."""
    given = request.headers.get("Authorization", "")
    if settings.METRICS_TOKEN and constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}"):
        return True
    if request.user.is_staff and request.user.has_perm("warandpeace.view_heartbeat"):
        return True
    address = request.META.get("REMOTE_ADDR") or "0.0.0.0"  # noqa: S104  an address that is not ours
    return ipaddress.ip_address(address).is_loopback and not any(name in request.headers for name in PROXY_HEADERS)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The counters of all processes of this machine and the gauges of the database, in Prometheus' text format."""
    if not may_read_metrics(request):
        return HttpResponse("Send METRICS_TOKEN as a bearer token.\n", status=403, content_type="text/plain")
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    registry.register(DatabaseGauges())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
