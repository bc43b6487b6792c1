"""SIGKILL at every transition and at random moments: each message is sent once, or somebody is told that it may not be.

`make crash-test` runs the same with every fault and a thousand kills at random.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from publishing import bots
from publishing.models import Attempt, Bot, Channel, Message
from tests.crash.conftest import IS_LONG, KILLS, Report, Sender, statements
from tests.fakes.bot_api import BotApi, Fault
from tests.publishing.outbox import AUDIT, approved, telegram
from usage.models import Alert

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(3600)]

Start = Callable[[], Sender]

# Whatever a killed sender leaves must not depend on the fault; the short version takes one of each verdict.
FAULTS = [*Fault] if IS_LONG else [Fault.DROP, Fault.REFUSED]
# The random kills are shared out to as many tests, so that processes can take them in parallel.
SHARES = 10 if IS_LONG else 1
CHANNELS = 4


def ready_channel(sender: Sender, number: int) -> Channel:
    """A channel with an audit chat and one post that is known."""
    channel = telegram(chat_id=f"@channel{number}", audit_chat_id=AUDIT)
    approved(channel, title=f"Первая {number}")
    sender.send(channel)
    return channel


def test_a_sender_may_die_before_any_statement(api: BotApi, start: Start, report: Report) -> None:
    sender = start()
    channel = ready_channel(sender, 0)
    for statement in statements(step=2):
        approved(channel)
        if sender.send(channel, statement=statement) == 0:
            break
        report.come_to_rest(api)
        start_afresh()

    report.kills = sender.kills
    assert Attempt.objects.exclude(outcome=Attempt.Outcome.PENDING).exists()
    assert sender.kills > 5


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_sender_may_die_before_any_statement_after_a_fault(
    api: BotApi, start: Start, report: Report, fault: Fault
) -> None:
    """What comes before the call doesn't depend on the fault."""
    sender = start()
    channel = ready_channel(sender, 0)
    for statement in statements(step=3):
        approved(channel)
        api.faults.append(fault)
        if sender.send(channel, after_reply=statement) == 0:
            break
        report.come_to_rest(api)
        start_afresh()

    report.kills = sender.kills
    assert sender.kills > 1


def test_a_sender_may_die_right_before_the_call(api: BotApi, start: Start, report: Report) -> None:
    sender = start()
    channel = ready_channel(sender, 0)
    approved(channel)

    status = sender.send(channel, before_call=True)

    report.kills = sender.kills
    report.come_to_rest(api)
    assert status < 0
    assert report.ended.total() == 2


@pytest.mark.parametrize("share", range(SHARES))
def test_senders_may_die_at_any_moment(api: BotApi, start: Start, report: Report, share: int) -> None:
    sender, dice = start(), random.Random(20 + share)  # noqa: S311
    channels = [ready_channel(sender, number) for number in range(CHANNELS)]
    longest_life = lifetime(sender, channels)
    while sender.kills < KILLS // SHARES:
        for channel in channels:
            approved(channel)
        api.faults.extend([dice.choice(list(Fault))] if dice.random() < 0.3 else [])
        sender.send(*channels, seconds=5, kill_within=longest_life)
        if sender.kills % 5 == 0:
            report.come_to_rest(api)
            start_afresh()

    report.kills = sender.kills
    report.come_to_rest(api)
    assert report.ended[Message.State.SENT]
    assert report.ended.total() > sender.kills


def lifetime(sender: Sender, channels: list[Channel]) -> float:
    """How long a sender lives who isn't killed, and a little longer; in seconds."""
    for channel in channels:
        approved(channel)
    began = time.monotonic()
    sender.send(*channels)
    return 1.2 * (time.monotonic() - began)


def start_afresh() -> None:
    """People have looked into the channels and at the bot; only what is known of the channels stays."""
    Message.objects.all().delete()
    Alert.objects.all().delete()
    Channel.objects.update(is_paused=False)
    for bot in Bot.objects.all():
        bots.resume(bot)
