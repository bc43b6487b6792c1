"""The tabs of the queue: in which stage a publication is on its way out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from publishing.models import Message, Publication
from usage.listing import capped_count

State = Publication.State
FIRST, PERSON = "waiting", "person"
CAP = 999


@dataclass(frozen=True)
class Stage:
    """A tab's name, the states it shows, and what an empty one says: what would fill it, and how."""

    label: str | Promise
    states: tuple[Publication.State, ...]
    empty: str | Promise


STAGES: Mapping[str, Stage] = {
    FIRST: Stage(
        _("Await a decision"),
        (State.DRAFT, State.PENDING),
        _("Nothing waits for a decision. Articles come by themselves from sources that queue automatically."),
    ),
    "approved": Stage(
        _("Approved"),
        (State.APPROVED,),
        _("Nothing is on its way. What an editor approves or schedules stands here until it goes out."),
    ),
    "sending": Stage(
        _("Being sent"),
        (State.SENDING, State.CHANGING),
        _("Nothing is being sent right now. A post is here for a second or two, longer if it has several parts."),
    ),
    PERSON: Stage(
        _("Need a person"),
        (),
        _("Nothing needs you. A post comes here when nobody knows whether Telegram has taken it."),
    ),
    "failed": Stage(
        _("Failed"),
        (State.FAILED,),
        _("Nothing has failed. What a channel refuses for good stands here with the reason, until it is put right."),
    ),
    "held": Stage(
        _("Held"),
        (State.HELD,),
        _("Nothing is held back. A copy of what the channel has already is kept here until you release it."),
    ),
}


def known(name: str) -> str:
    """The stage of that name, or the first one."""
    return name if name in STAGES else FIRST


def of(queue: QuerySet[Any], stage: str) -> QuerySet[Any]:
    """The part of the queue that is shown under a tab."""
    if stage == PERSON:
        return queue.filter(pk__in=Message.objects.unresolved().values("publication"))
    return queue.filter(state__in=STAGES[stage].states)


def holds(stage: str, publication: Publication) -> bool:
    """Whether a publication, fetched with its messages, belongs under the tab."""
    if stage == PERSON:
        return any(message.is_unresolved for message in publication.messages.all())
    return publication.state in STAGES[stage].states


def counted(queue: QuerySet[Publication]) -> list[dict[str, Any]]:
    """Each tab with how many are under it, counted up to `CAP`."""
    tabs = []
    for name, stage in STAGES.items():
        count = capped_count(of(queue, name), CAP)
        tabs.append({"name": name, "label": stage.label, "text": f"{CAP}+" if count > CAP else str(count)})
    return tabs
