"""Two people at one publication: each is told of the other, and of what the other has saved, before saving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from publishing.admin import versions
from publishing.models import Presence, Publication

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def context(request: HttpRequest, publication: Publication, revision: int) -> dict[str, Any]:
    """Who else is here, and who has saved what since the `revision` that is shown. Notes that this person is here."""
    user = cast("User", request.user)
    Presence.objects.note(publication, user)
    is_old = revision < publication.revision
    return {
        "publication": publication,
        "others": [presence.user for presence in Presence.objects.beside(user, publication)],
        "newer": publication.revision if is_old else None,
        "newer_edit": versions.last_edit(publication) if is_old else None,
    }


def view(request: HttpRequest, publication: Publication) -> HttpResponse:
    """The line above the editor, asked for every few seconds."""
    revision = request.GET.get("revision", "")
    known = int(revision[:9]) if revision.isdecimal() else publication.revision
    return TemplateResponse(request, "admin/publishing/beside.html", context(request, publication, known))
