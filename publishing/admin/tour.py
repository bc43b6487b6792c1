"""The tour: how a new editor's day goes, with pictures of the pages themselves."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

LANGUAGES = ("ru", "en")


@dataclass(frozen=True)
class Step:
    """One stop of the tour: the name of a picture that `make screenshots` takes, and a page of the admin."""

    picture: str
    title: str | Promise
    sentences: tuple[str | Promise, ...]
    link: str


STEPS = (
    Step(
        "queue",
        _("The queue"),
        (
            _("Every article with a summary comes here. Each row says why it isn't out yet, and when it will be."),
            _("J and K go down and up, A approves, R rejects, S sets a time, E opens, ? shows all keys."),
            _("For a few seconds after a decision it can be undone: press U or the button. Nothing is sent before."),
        ),
        "admin:publishing_pendingpublication_changelist",
    ),
    Step(
        "editor",
        _("One publication"),
        (
            _("On the left the text, in the middle the post exactly as it will be sent, on the right the source."),
            _("What the source does not say is marked. Look there first: a number, a date, a name."),
            _("Another model or a shorter text is an offer: nothing of yours is replaced before you take it."),
            _("If somebody else has the same publication open, the page says who. Approval holds for what you saw."),
        ),
        "admin:publishing_pendingpublication_changelist",
    ),
    Step(
        "calendar",
        _("The calendar"),
        (
            _("What has a time stands here, on the channel's own clock. Drag a post to another hour or day."),
            _("Without a mouse: open a post, type the time, press Move. Quiet hours are kept either way."),
        ),
        "admin:publishing_queue_calendar",
    ),
    Step(
        "published",
        _("What is out"),
        (
            _("What is published stays in the list of publications: correct it, delete it or post it again there."),
            _("If nobody knows whether a post arrived, the channel waits for you under “Need a person”."),
        ),
        "admin:publishing_publication_changelist",
    ),
)


def view(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """The tour, for everybody who may see the queue."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    language = (get_language() or "ru")[:2]
    spoken = language if language in LANGUAGES else "en"
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": _("A short tour"),
        "steps": [(step, f"publishing/tour/{step.picture}-{spoken}.png") for step in STEPS],
    }
    return TemplateResponse(request, "admin/publishing/tour.html", context)
