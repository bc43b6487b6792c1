"""SIGKILL at every transition and at random moments: each message is sent once, or somebody is told that it may not be.

`make crash-test` runs the same with every fault and thousands of kills.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Callable

import pytest

from publishing import bots
from publishing.models import Attempt, Bot, Channel, Message
from tests.crash.conftest import KILLS, Report, Sender, come_to_rest
from tests.fakes.bot_api import BotApi, Fault
from tests.publishing.outbox import AUDIT, approved, telegram
from usage.models import Alert

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(3600)]

Start = Callable[[], Sender]

# Whatever a killed sender leaves must not depend on the fault; the short version takes one of each verdict.
FAULTS = [None, *Fault] if "CRASH_KILLS" in os.environ else [None, Fault.DROP, Fault.REFUSED]


def ready_channel(sender: Sender, number: int) -> Channel:
    """A channel with an audit chat and one post that is known."""
    channel = telegram(chat_id=f"@channel{number}", audit_chat_id=AUDIT)
    approved(channel, title=f"Первая {number}")
    sender.send(channel)
    return channel


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name if fault else "none")
def test_a_sender_may_die_before_any_statement(api: BotApi, start: Start, report: Report, fault: Fault | None) -> None:
    sender = start()
    channel = ready_channel(sender, 0)
    for statement in itertools.count(1):
        approved(channel)
        api.faults.extend([fault] if fault else [])
        if sender.send(channel, statement=statement) == 0:
            break
        report.ended += come_to_rest(api)
        start_afresh()

    report.kills = sender.kills
    assert Attempt.objects.exclude(outcome=Attempt.Outcome.PENDING).exists()
    assert sender.kills > 20


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name if fault else "none")
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_sender_may_die_around_the_call(
    api: BotApi, start: Start, report: Report, when: str, fault: Fault | None
) -> None:
    sender = start()
    channel = ready_channel(sender, 0)
    approved(channel)
    api.faults.extend([fault] if fault else [])

    status = sender.send(channel, call=when)

    report.kills, report.ended = sender.kills, come_to_rest(api)
    assert status < 0
    assert report.ended.total() == 2


def test_senders_may_die_at_any_moment(api: BotApi, start: Start, report: Report) -> None:
    sender, dice = start(), random.Random(20)  # noqa: S311
    channels = [ready_channel(sender, number) for number in range(4)]
    while sender.kills < KILLS:
        for channel in channels:
            approved(channel)
        api.faults.extend([dice.choice(list(Fault))] if dice.random() < 0.3 else [])
        sender.send(*channels, seconds=5, kill_within=0.5)
        if sender.kills % 10 == 0:
            report.ended += come_to_rest(api)
            start_afresh()

    report.kills = sender.kills
    report.ended += come_to_rest(api)
    assert report.ended.total() > KILLS
    assert report.ended[Message.State.SENT]


def start_afresh() -> None:
    """People have looked into the channels and at the bot; only what is known of the channels stays."""
    Message.objects.all().delete()
    Alert.objects.all().delete()
    Channel.objects.update(is_paused=False)
    for bot in Bot.objects.all():
        bots.resume(bot)
