"""The queue while somebody looks at it: a small answer, asked for every few seconds, instead of a reload."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from publishing.admin import cells, stages
from publishing.models import Publication
from publishing.queueing import explain
from usage.listing import capped_count

# A page has no more rows.
MOST_ROWS = 50
MOST_NEW = 99


def view(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """What is new in a stage since the page was made, the counts of the tabs, and what has become of the rows shown.

    Answers 304 where nothing differs from what the browser has.
    """
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    body = json.dumps(_answer(request), ensure_ascii=False)
    etag = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponseNotModified(headers={"ETag": etag})
    return HttpResponse(body, content_type="application/json", headers={"ETag": etag})


def _answer(request: HttpRequest) -> dict[str, Any]:
    queue = Publication.objects.in_queue()
    if (channel := request.GET.get("channel__id__exact", "")).isdecimal():
        queue = queue.filter(channel=int(channel[:18]))
    stage = stages.known(request.GET.get("stage", ""))
    shown = [int(pk[:18]) for pk in request.GET.get("rows", "").split(",")[:MOST_ROWS] if pk.isdecimal()]
    new = _new(stages.of(queue, stage), stage, shown, request.GET.get("since", ""))
    return {
        "tabs": {row["name"]: row["text"] for row in stages.counted(queue)},
        "new": new,
        "told": ngettext("%(count)d new: show it", "%(count)d new: show them", new) % {"count": new},
        "rows": {row.pk: _row(row, stage) for row in Publication.objects.for_queue().filter(pk__in=shown)},
    }


def _new(rows: QuerySet[Publication], stage: str, shown: list[int], since: str) -> int:
    """How many have come to the stage; to the first one only new publications come."""
    moment = _moment(since)
    came = {"created_at__gt": moment} if stage == stages.FIRST else {"updated_at__gt": moment}
    return min(capped_count(rows.filter(**came).exclude(pk__in=shown), MOST_NEW), MOST_NEW)


def _moment(text: str) -> datetime:
    """The moment in ISO form; now for anything else."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    return moment if moment and timezone.is_aware(moment) else timezone.now()


def _row(publication: Publication, stage: str) -> dict[str, Any]:
    return {
        "why": cells.reason(explain(publication)),
        "goes_out": cells.goes_out(publication),
        "revision": publication.revision,
        "left": not stages.holds(stage, publication),
    }
