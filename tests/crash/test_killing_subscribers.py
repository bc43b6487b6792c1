"""SIGKILL in the middle of a mailing: each subscriber gets it once, or has a row that says that nobody knows.

`make crash-test` runs it with ten thousand subscribers.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable

import pytest
from django.utils import timezone

from publishing import bots
from publishing.models import Bot, Channel, Delivery, DeliveryAttempt, Mailing, Subscriber, Subscription
from tests.crash.conftest import IS_LONG, Report, Sender, statements
from tests.factories import ChannelFactory
from tests.fakes.bot_api import BotApi, Fault
from tests.publishing.readers import FIRST_PERSON, LONG_AGO, begin, digest_out, reader

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(3600)]

Start = Callable[[], Sender]
State = Delivery.State

READERS = int(os.environ.get("CRASH_SUBSCRIBERS") or (10_000 if IS_LONG else 60))
THREADS = 8


def readers_of(channel: Channel, count: int) -> None:
    """So many people who want the channel's daily digest."""
    people = Subscriber.objects.bulk_create(
        [Subscriber(telegram_user_id=FIRST_PERSON + number) for number in range(count)], batch_size=500
    )
    since = timezone.now() - LONG_AGO
    Subscription.objects.bulk_create(
        [Subscription(subscriber=one, kind="daily", channel=channel, created_at=since) for one in people],
        batch_size=500,
    )


def check(api: BotApi, count: int) -> Counter[str]:
    """How the deliveries have ended. Each reader has one, and the ledger has as many copies as it says."""
    rows = list(Delivery.objects.values_list("subscriber__telegram_user_id", "state"))
    copies = Counter(int(post["chat_id"]) for post in api.sent)
    assert len(rows) == len(dict(rows)) == count
    for person, state in rows:
        assert state in {State.SENT, State.UNKNOWN}, (person, state)
        assert copies[person] == 1 if state == State.SENT else copies[person] <= 1, (person, state, copies[person])
    return Counter(state for _person, state in rows)


def come_back() -> None:
    """Telegram answers again, if it has not for a while."""
    for bot in Bot.objects.all():
        bots.resume(bot)


def come_to_rest(sender: Sender) -> None:
    """Let the mailing end, after its senders have died and Telegram has been away."""
    for _ in range(20):
        waiting = Delivery.objects.exclude(state__in=[State.SENT, State.UNKNOWN])
        if Mailing.objects.filter(state=Mailing.State.MADE).exists() and not waiting.exists():
            return
        come_back()
        past = timezone.now() - LONG_AGO
        waiting.exclude(claimed_until=None).update(claimed_until=past)
        waiting.update(not_before=past)
        sender.send(subscribers=THREADS)


def test_a_mailing_survives_kills_at_any_moment(api: BotApi, start: Start, report: Report) -> None:
    sender, out = start(), digest_out(ChannelFactory.create())
    begin()
    readers_of(out.channel, READERS)
    for number in range(10):
        api.faults.extend([Fault.DROP] if number % 3 == 0 else [])
        # The first ones die early: who lives long enough has sent everything.
        status = sender.send(subscribers=THREADS, kill_within=(number + 1) / 10 * (1.0 + READERS / 1000))
        assert status in {0, -signal.SIGKILL}
        come_back()
        Delivery.objects.filter(state__in=Delivery.IN_FLIGHT).update(claimed_until=timezone.now() - LONG_AGO)
    api.faults.clear()

    come_to_rest(sender)

    report.kills, report.ended = sender.kills, check(api, READERS)
    assert report.kills
    assert report.ended[State.SENT] >= READERS - DeliveryAttempt.objects.filter(outcome="unknown").count()


def test_a_mailing_may_die_before_any_statement(api: BotApi, start: Start, report: Report) -> None:
    sender, out = start(), digest_out(ChannelFactory.create())
    begin()
    reader(1, kind="daily", channel=out.channel)
    for statement in statements(step=7):
        if sender.send(subscribers=1, statement=statement) == 0:
            break
        come_to_rest(sender)
        report.ended += check(api, 1)
        Mailing.objects.all().delete()
        api.sent.clear()

    report.kills = sender.kills
    assert sender.kills > 5
