"""For a few seconds a decision can be undone. What it was about is kept in the session of the person who decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from publishing import approval
from publishing.admin import decisions
from publishing.approval import Tally
from publishing.models import PendingPublication, Publication
from usage.addresses import list_url, wanted_url

KEY = "undo"


@dataclass(frozen=True)
class Offer:
    """What was decided, in a sentence, and for how many seconds it may still be undone."""

    told: str
    seconds: int


def hold() -> timedelta:
    """So long an approved publication waits for its editor to think better of it."""
    return timedelta(seconds=settings.UNDO_SECONDS)


def report(request: HttpRequest, tally: Tally, done: str) -> None:
    """Tell what was decided, with a way back while there is one, and why the rest was not."""
    if not tally.decided or not hold():
        decisions.report(request, tally, done)
        return
    decided = Publication.objects.filter(pk__in=tally.decided).values_list("pk", "updated_at")
    request.session[KEY] = {
        "rows": {str(pk): moment.isoformat() for pk, moment in decided},
        "until": (timezone.now() + hold()).isoformat(),
        "told": done,
    }
    decisions.report_refused(request, tally)


def offered(request: HttpRequest) -> Offer | None:
    """What the person may still undo, if anything."""
    kept: dict[str, Any] | None = request.session.get(KEY)
    if kept is None:
        return None
    left = (datetime.fromisoformat(kept["until"]) - timezone.now()).total_seconds()
    return Offer(kept["told"], round(left)) if left >= 1 else None


def view(request: HttpRequest) -> HttpResponse:
    """Return what was decided last to the queue, row by row, where nothing was sent and nobody has decided since."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not request.user.has_perm("publishing.approve_publication"):
        raise PermissionDenied
    kept = request.session.pop(KEY, {"rows": {}})
    moments = {int(pk): datetime.fromisoformat(moment) for pk, moment in kept["rows"].items()}
    tally = approval.withdraw_many(moments, by=decisions.decider(request), decided_at=moments)
    done = ngettext("Undone: %(count)d is back in the queue.", "Undone: %(count)d are back in the queue.", tally.done)
    decisions.report(request, tally, done % {"count": tally.done})
    if not moments:
        messages.warning(request, _("There is nothing to undo."))
    return HttpResponseRedirect(wanted_url(request) or list_url(PendingPublication))
