"""SIGKILL at every transition of an edit, a deletion and a further posting: each is done once, or somebody is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from publishing import changing
from publishing.models import Channel, Publication
from tests.crash.conftest import IS_LONG, Report, Sender, statements
from tests.crash.test_killing import ready_channel, start_afresh
from tests.fakes.bot_api import BotApi, Fault
from tests.publishing.outbox import approved

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(3600)]

Start = Callable[[], Sender]

FAULTS = [*Fault] if IS_LONG else [Fault.DROP]
State = Publication.State
ENDS = {"edit": State.EDITED, "delete": State.DELETED, "post again": State.PUBLISHED}


def published(sender: Sender, channel: Channel) -> Publication:
    publication = approved(channel)
    sender.send(channel)
    return Publication.objects.get(pk=publication.pk)


def change(publication: Publication, what: str) -> None:
    match what:
        case "edit":
            text = f"{publication.text} Уточнено."
            changing.edit(publication.pk, by=None, revision=1, seen=0, title=publication.title, text=text)
        case "delete":
            changing.delete(publication.pk, by=None, seen=0)
        case "post again":
            changing.post_again(publication.pk, by=None, seen=0)


@pytest.mark.parametrize("what", ENDS)
def test_a_sender_may_die_before_any_statement_of_a_change(
    api: BotApi, start: Start, report: Report, what: str
) -> None:
    sender = start()
    channel = ready_channel(sender, 0)
    for statement in statements(step=6):
        change(published(sender, channel), what)
        if sender.send(channel, statement=statement) == 0:
            break
        report.come_to_rest(api)
        start_afresh()

    report.kills = sender.kills
    assert sender.kills > 1


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("what", ENDS)
def test_a_sender_may_die_before_any_statement_after_a_fault_of_a_change(
    api: BotApi, start: Start, report: Report, what: str, fault: Fault
) -> None:
    sender = start()
    channel = ready_channel(sender, 0)
    for statement in statements(step=6):
        change(published(sender, channel), what)
        (api.faults if what == "post again" else api.change_faults).append(fault)
        if sender.send(channel, after_reply=statement) == 0:
            break
        report.come_to_rest(api)
        start_afresh()

    report.kills = sender.kills
    assert sender.kills > 0


@pytest.mark.parametrize("how", [{"before_call": True}, {"after_reply": 1}], ids=["before", "after"])
@pytest.mark.parametrize("what", ["edit", "delete"])
def test_a_change_whose_sender_dies_around_the_call_is_done(
    api: BotApi, start: Start, report: Report, what: str, how: dict[str, int]
) -> None:
    sender = start()
    channel = ready_channel(sender, 0)
    publication = published(sender, channel)
    change(publication, what)

    status = sender.send(channel, **how)

    report.kills = sender.kills
    report.come_to_rest(api)
    publication.refresh_from_db()
    assert (status < 0, publication.state) == (True, ENDS[what])
