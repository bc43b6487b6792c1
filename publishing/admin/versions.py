"""The versions of a publication: who made each, when, and what differs word by word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from articles.duplicates.comparing import Piece, differences
from publishing.models import Publication

SHOWN = 20
# What the verbs write into the history, as people read it.
DEEDS = {
    "approved": gettext_lazy("approved"),
    "scheduled": gettext_lazy("scheduled"),
    "breaking": gettext_lazy("made breaking news"),
    "rejected": gettext_lazy("rejected"),
    "edited": gettext_lazy("text changed"),
    "withdrawn": gettext_lazy("returned to the queue"),
    "edit": gettext_lazy("edit in the channel"),
    "delete": gettext_lazy("deletion from the channel"),
    "post again": gettext_lazy("posting again"),
    "cancel": gettext_lazy("change taken back"),
    "resolved as sent": gettext_lazy("found in the channel"),
    "sent again": gettext_lazy("not found, sent again"),
    "number noted": gettext_lazy("number of the post noted"),
}


@dataclass(frozen=True)
class Version:
    """One row of the history; `before` is the row whose text it changed, if it did."""

    row: Any
    deed: str
    before: Any = None


@dataclass(frozen=True)
class Difference:
    """Two versions side by side, in pieces."""

    before: Any
    after: Any
    old: list[Piece]
    new: list[Piece]


def of(publication: Publication) -> list[Version]:
    """The latest states of the publication, each with what was done to it."""
    rows = list(publication.history.select_related("history_user")[: SHOWN + 1])
    earlier = [*rows[1:], None]
    versions = []
    for row, before in zip(rows, earlier, strict=True):
        deed = (row.history_change_reason or "").rpartition(": ")[2]
        changed = before if before is not None and written(before) != written(row) else None
        versions.append(Version(row, str(DEEDS.get(deed, "")), changed))
    return versions[:SHOWN]


def written(row: Any) -> str:
    """Title and text of a publication, or of a state it was in."""
    return f"{row.title}\n\n{row.edited_text or row.text}"


def chosen(request: HttpRequest, versions: list[Version]) -> Difference | None:
    """What `?diff=` asks for: a version against the one before it."""
    wanted = request.GET.get("diff", "")
    version = next((one for one in versions if one.before and str(one.row.history_id) == wanted), None)
    if version is None:
        return None
    old, new = differences(written(version.before), written(version.row))
    return Difference(version.before, version.row, old, new)


def last_edit(publication: Publication) -> Any:
    """The row of the history that made the version which is current now, with its person; None if nobody edited."""
    edits = publication.history.filter(revision=publication.revision, history_change_reason__endswith="edited")
    return edits.select_related("history_user").order_by("history_date").first()
