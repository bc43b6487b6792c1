"""Eight senders on one database that crashes under them, and a clock that jumps: the same promise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from publishing import clocks, delivery
from publishing.models import Message
from tests.crash.conftest import IS_LONG, Report, Sender
from tests.endtoend.stack import wait_for
from tests.fakes.bot_api import BotApi, Fault
from tests.publishing.outbox import AUDIT, approved, telegram
from tests.servers import restart_postgres

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

Start = Callable[[], Sender]

POSTS = 20 if IS_LONG else 6
# In seconds: between two posts of a channel, how long a call takes at the most, and how long the senders stay.
PACE, TIMEOUT, LONGEST_WAIT = 0.3, 2, 300


def test_eight_senders_go_on_after_the_database_has_crashed(api: BotApi, start: Start, report: Report) -> None:
    channels = [telegram(chat_id=f"@channel{number}", audit_chat_id=AUDIT) for number in range(4)]
    in_an_hour = timezone.now() + timedelta(hours=1)
    for channel in channels:
        for _ in range(POSTS - 1):
            approved(channel)
        approved(channel, scheduled_for=in_an_hour)
    sender = start()

    sender.begin(*channels, senders=8, seconds=LONGEST_WAIT, pace=PACE, timeout=TIMEOUT)
    # A first post that is lost has no neighbour to be looked for behind: that one would wait for a person.
    wait_for(lambda: known_posts() == len(channels), "a first post in each channel")
    crash_database()
    crashed_at = timezone.now()
    Message.objects.filter(not_before=in_an_hour).update(not_before=crashed_at)
    sender.end()

    # They resume by themselves, before anybody helps.
    assert Message.objects.filter(sent_at__gt=crashed_at).exists()
    report.come_to_rest(api)
    assert report.ended.total() == POSTS * len(channels)
    assert report.ended[Message.State.SENT] >= (POSTS - 1) * len(channels)


def known_posts() -> int:
    """In how many channels a post is known."""
    return Message.objects.filter(state=Message.State.SENT).order_by().values("channel").distinct().count()


def crash_database() -> None:
    """PostgreSQL crashes and starts again; where other tests use it, too, only its clients are cut off.

    SQLite has no server that could crash.
    """
    if restart_postgres():
        connection.close()
    elif connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)], ids=["forwards", "backwards"])
def test_a_clock_that_jumps_costs_no_post(
    api: BotApi, report: Report, monkeypatch: pytest.MonkeyPatch, jump: timedelta
) -> None:
    channel = telegram(audit_chat_id=AUDIT)
    approved(channel)
    delivery.deliver(channel.pk)
    for _ in range(4):
        approved(channel)
    api.faults.append(Fault.DROP)
    delivery.deliver(channel.pk)

    real_now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real_now() + jump)
    clocks.mend()

    report.come_to_rest(api)
    assert report.ended == {Message.State.SENT: 5}
