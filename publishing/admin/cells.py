"""The cells of the queue. What is the same in many rows is written once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext

from publishing import approval
from publishing.models import Publication
from publishing.queueing import Explanation, explain
from publishing.rendering import Part, render
from publishing.splitting import MAX_UNITS
from usage.moments import when
from usage.rows import PLACES, form_of

State = Publication.State


def post(publication: Any) -> SafeString:
    """What is to go out, and how long it is. For rows of the queue, which know who wrote them."""
    context = {
        "publication": publication,
        "facts": " · ".join(_facts(publication)),
        "url": reverse("admin:publishing_publication_change", args=[publication.pk]),
    }
    return render_to_string("admin/publishing/queue_row.html", context)


def _facts(publication: Any) -> Iterator[str]:
    """From where to where, how long, and by whom."""
    article = publication.article
    yield f"{article.source if article else gettext('Digest')} → {publication.channel}"
    if article:
        yield date_format(timezone.localtime(article.published_at), "H:i")
    yield _length(render(publication))
    if publication.revision > 1:
        yield gettext("edited, version %(revision)s") % {"revision": publication.revision}
    elif name := publication.written_by and (publication.written_with or publication.written_by):
        yield gettext("draft by “%(name)s”") % {"name": name}


def _length(parts: list[Part]) -> str:
    """How much of what Telegram allows is used, and by how many messages if by several."""
    units, limit = sum(part.units for part in parts), parts[0].limit if parts else MAX_UNITS
    told = gettext("%(units)s of %(max_units)s") % {"units": units, "max_units": limit}
    messages = ngettext("%(counter)s message", "%(counter)s messages", len(parts)) % {"counter": len(parts)}
    return f"{messages}, {told}" if len(parts) > 1 else told


def reason(explanation: Explanation) -> SafeString:
    """Why it isn't out yet."""
    said = {name: value for name, value in vars(explanation).items() if name != "due_at"}
    return _reason(get_language(), **said)


@lru_cache(maxsize=500)
def _reason(_language: str, **said: Any) -> SafeString:
    return render_to_string("admin/publishing/explanation.html", {"explanation": said})


def goes_out(publication: Any) -> str:
    """When a publication of the queue goes out, on its channel's clock."""
    if publication.state in approval.UNDECIDED:
        return gettext("right after approval")
    due_at = explain(publication).due_at
    return clock(due_at, publication.channel.zone) if due_at else "—"


def clock(moment: datetime, zone: tzinfo, *, is_zone_shown: bool = False) -> str:
    """A moment on the clock of a zone, which is named where it is not the reader's, or always."""
    with timezone.override(zone):
        told = when(moment)
    local = moment.astimezone(zone)
    is_foreign = local.utcoffset() != timezone.localtime(moment).utcoffset()
    return f"{told} {local:%Z}" if is_zone_shown or is_foreign else told


def buttons(publication: Publication) -> SafeString:
    """What can be decided about it, each by a click."""
    undecided = publication.state in approval.UNDECIDED
    form = _buttons(
        get_language(),
        undecided=undecided,
        may_return=publication.state in {State.FAILED, State.HELD},
        may_break=undecided or (publication.state == State.APPROVED and not publication.is_breaking),
    )
    return format_html(form, publication.pk)


@lru_cache(maxsize=100)
def _buttons(_language: str, **may: bool) -> str:
    """The buttons in a language, which is the active one, without the number of the publication."""
    return form_of(render_to_string("admin/publishing/row_buttons.html", {"publication": {"pk": PLACES[0]}, **may}))
