"""The first page of the admin: how the newsroom stands. Each figure comes from rows and leads to their list.

Whatever may be long is counted up to a cap, read by an index, or taken from the totals of days, so that the page costs
the same with a million articles.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from warandpeace.dashboard import panels
from warandpeace.dashboard.day import Day
from warandpeace.dashboard.tiles import tiles


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's callback: the context of the index page, with what this person may see."""
    now = timezone.now()
    may = request.user.has_perm
    day = Day.of(now) if may("articles.view_article") else None
    return context | {
        "title": _("Dashboard"),
        "now": timezone.localtime(now),
        "tiles": list(tiles(request, now, day)),
        "day": day,
        "chart": day.chart() if day else None,
        "sources": panels.sources(now) if may("articles.view_source") else None,
        "spending": panels.spending(now) if may("usage.view_apiusagedaily") else None,
        "backfills": panels.backfills(now) if may("articles.view_backfillrun") else None,
        "lights": list(panels.lights(request, now)),
    }
