"""The trail: several ledgers that others write, read newest first and merged, a page at a time.

Each ledger is walked by its own number, which grows with time, from where the page before has stopped. So the ten
thousandth page costs what the first does, and nothing is counted.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.apps import apps
from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalChanges

from publishing.models import Attempt, Publication

PAGE = 50
# A form's line and the version it has made are one event.
TOGETHER = timedelta(seconds=5)
VERBS: Mapping[str, str | Promise] = {"+": _("added"), "~": _("changed"), "-": _("deleted")}


@dataclass(frozen=True)
class Wanted:
    """What to show: of one person, of one kind of row (`app.model`), of one row, in a span of time."""

    person: int | None = None
    kind: str = ""
    row: str = ""
    since: datetime | None = None
    until: datetime | None = None
    # Also what the machine did by itself.
    with_machine: bool = False


@dataclass(frozen=True)
class Event:
    """One line of the trail, whichever ledger it comes from."""

    at: datetime
    ledger: str
    number: int
    person: str
    verb: str
    kind: str
    row: str
    name: str
    detail: str = ""

    @property
    def kind_name(self) -> str:
        """The kind of row in the reader's language."""
        try:
            return str(apps.get_model(self.kind)._meta.verbose_name)
        except (LookupError, ValueError):  # of an app that is no longer installed; of none at all
            return self.kind


@dataclass(frozen=True)
class Ledger:
    """Rows to read, and how one becomes an event."""

    name: str
    rows: Callable[[Wanted], models.QuerySet[Any] | None]
    event: Callable[[Any], Event]

    def read(self, wanted: Wanted, before: int | None) -> Iterator[Event]:
        """Newest first, from below the number."""
        rows = self.rows(wanted)
        if rows is None:
            return
        if before is not None:
            rows = rows.filter(pk__lt=before)
        yield from map(self.event, rows.order_by("-pk")[: PAGE + 1])


@dataclass(frozen=True)
class Page:
    events: list[Event]
    # Where the next page goes on in each ledger; empty where there is none.
    older: dict[str, int] = field(default_factory=dict)


def page(wanted: Wanted, before: Mapping[str, int]) -> Page:
    """The newest events below the numbers in `before`; without numbers the newest of all."""
    ledgers = [ledger.read(wanted, before.get(ledger.name)) for ledger in LEDGERS]
    merged = heapq.merge(*ledgers, key=lambda event: event.at, reverse=True)
    taken = list(islice(merged, PAGE + 1))
    shown = taken[:PAGE]
    reached = dict(before)
    for event in shown:
        reached[event.ledger] = min(event.number, reached.get(event.ledger, event.number))
    return Page(list(without_twins(shown)), reached if len(taken) > PAGE else {})


def without_twins(events: list[Event]) -> Iterator[Event]:
    """The form's line says which fields were changed: beside it the version that it has made is left out."""
    told = [event for event in events if event.ledger == FORMS]
    for event in events:
        if event.ledger.startswith(VERSIONS) and not event.detail and any(are_twins(event, other) for other in told):
            continue
        yield event


def are_twins(one: Event, other: Event) -> bool:
    same = (one.kind, one.row, one.person) == (other.kind, other.row, other.person)
    return same and abs(one.at - other.at) < TOGETHER


def spanned(rows: models.QuerySet[Any], wanted: Wanted, moment: str) -> models.QuerySet[Any]:
    if wanted.since:
        rows = rows.filter(**{f"{moment}__gte": wanted.since})
    return rows.filter(**{f"{moment}__lt": wanted.until}) if wanted.until else rows


# --- what was done in the admin's forms -------------------------------------------------------------------------------

FORMS = "forms"


def form_rows(wanted: Wanted) -> models.QuerySet[Any]:
    rows = LogEntry.objects.select_related("user", "content_type")
    if wanted.person:
        rows = rows.filter(user=wanted.person)
    if wanted.kind:
        app_label, _dot, model = wanted.kind.partition(".")
        rows = rows.filter(content_type__app_label=app_label, content_type__model=model)
    if wanted.row:
        rows = rows.filter(object_id=wanted.row)
    return spanned(rows, wanted, "action_time")


def form_event(entry: LogEntry) -> Event:
    sign = {ADDITION: "+", DELETION: "-"}.get(entry.action_flag, "~")
    kind = entry.content_type
    return Event(
        at=entry.action_time,
        ledger=FORMS,
        number=entry.pk,
        person=entry.user.get_username(),
        verb=str(VERBS[sign]),
        kind=f"{kind.app_label}.{kind.model}" if kind else "",
        row=entry.object_id or "",
        name=entry.object_repr,
        detail=gettext(message) if (message := entry.get_change_message()) else "",
    )


# --- versions of rows: decisions, and changes that came by other ways -------------------------------------------------

VERSIONS = "versions of "


def history_ledger(history: type[models.Model]) -> Ledger:
    """The ledger of one model's versions."""
    tracked: type[models.Model] = history.instance_type  # type: ignore[attr-defined]  # of simple_history
    kind = tracked._meta.label_lower

    def rows(wanted: Wanted) -> models.QuerySet[Any] | None:
        if wanted.kind and wanted.kind != kind:
            return None
        found = history._default_manager.select_related("history_user")
        if wanted.row:
            found = found.filter(**{tracked._meta.pk.name: wanted.row})
        if wanted.person:
            found = found.filter(history_user=wanted.person)
        elif not wanted.with_machine:
            found = found.filter(history_user__isnull=False)
        return spanned(found, wanted, "history_date")

    def event(version: Any) -> Event:
        return Event(
            at=version.history_date,
            ledger=VERSIONS + kind,
            number=version.pk,
            person=version.history_user.get_username() if version.history_user else "",
            verb=str(VERBS[version.history_type]),
            kind=kind,
            row=str(getattr(version, tracked._meta.pk.attname)),
            name=str(getattr(version, "title", "") or getattr(version, "name", "") or version),
            detail=version.history_change_reason or "",
        )

    return Ledger(VERSIONS + kind, rows, event)


def histories() -> list[type[models.Model]]:
    """Every model of versions, in a fixed order; those of many-to-many rows name no person and are left out."""
    versions = (model for model in apps.get_models() if issubclass(model, HistoricalChanges))
    found = [model for model in versions if hasattr(model, "history_user")]
    return sorted(found, key=lambda model: model._meta.label)


# --- sends ------------------------------------------------------------------------------------------------------------

SENDS = "sends"


def send_rows(wanted: Wanted) -> models.QuerySet[Any] | None:
    """Calls for a publication, counted to who has approved it; other kinds of rows are not sent."""
    if wanted.kind not in {"", Publication._meta.label_lower}:
        return None
    rows = Attempt.objects.select_related("message__publication__approved_by", "message__channel")
    if wanted.row:
        rows = rows.filter(message__publication=int(wanted.row))
    if wanted.person:
        rows = rows.filter(message__publication__approved_by=wanted.person)
    elif not wanted.with_machine:
        rows = rows.filter(message__publication__approved_by__isnull=False)
    return spanned(rows, wanted, "started_at")


def send_event(attempt: Attempt) -> Event:
    message = attempt.message
    publication = message.publication
    told = gettext("to %(channel)s, part %(part)d: %(outcome)s") % {
        "channel": message.channel,
        "part": message.ordinal,
        "outcome": attempt.get_outcome_display(),
    }
    return Event(
        at=attempt.started_at,
        ledger=SENDS,
        number=attempt.pk,
        person=publication.approved_by.get_username() if publication.approved_by else "",
        verb=f"{gettext('sent')} ({message.get_action_display()})",
        kind=Publication._meta.label_lower,
        row=str(publication.pk),
        name=publication.title,
        detail=told,
    )


LEDGERS = (
    Ledger(FORMS, form_rows, form_event),
    *map(history_ledger, histories()),
    Ledger(SENDS, send_rows, send_event),
)
