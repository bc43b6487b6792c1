"""What tests of the outbox share: a fake Telegram, channels that post there, and publications that are approved."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from publishing import claims, delivery
from publishing.approval import approve
from publishing.models import Attempt, Bot, Channel, Message, Publication
from tests.factories import ChannelFactory, PublicationFactory
from tests.fakes.bot_api import BotApi, Fault

TOKEN = "123456789:AAcanary-canary_canary0canary1canary2"
CHANNEL, AUDIT = "@channel", "-100500"

HOLDER = """
import sys, time
from tests.crash.sender import set_up
set_up()
from publishing.exclusion import only_sender
with only_sender(int(sys.argv[1])) as is_held:
    print("held" if is_held else "taken", flush=True)
    time.sleep(600)
"""


def telegram(**fields: Any) -> Channel:
    made: Channel = ChannelFactory.create(kind=Channel.Kind.TELEGRAM, **{"chat_id": CHANNEL} | fields)
    return made


def approved(channel: Channel | None = None, *, scheduled_for: datetime | None = None, **fields: Any) -> Publication:
    publication = PublicationFactory.create(channel=channel or ChannelFactory.create(), **fields)
    return approve(publication.pk, by=None, scheduled_for=scheduled_for)


def unknown(api: BotApi) -> Message:
    """A message whose reply was lost, in a channel of its own."""
    api.faults.append(Fault.DROP)
    publication = approved(telegram())
    delivery.deliver(publication.channel_id)
    message: Message = publication.messages.get()
    return message


def die_while_sending(publication: Publication) -> Attempt:
    """What a sender leaves that was killed after it had committed "sending", long ago."""
    claim = claims.claim(publication.channel_id)
    assert claim is not None
    attempt = claims.begin(claim, timedelta(seconds=1))
    assert attempt is not None
    Message.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    return attempt


def lose_reply(api: BotApi, channel: Channel, fault: Fault = Fault.DROP) -> Message:
    """A message whose outcome is unknown, and whose quiet time is over."""
    api.faults.append(fault)
    publication = approved(channel)
    delivery.deliver(channel.pk)
    wait_is_over()
    message: Message = publication.messages.get()
    return message


def wait_is_over() -> None:
    """As if every pause, deadline and quiet time had passed."""
    past = timezone.now() - timedelta(seconds=1)
    Channel.objects.update(next_post_at=past)
    Message.objects.filter(not_before__gt=past).update(not_before=past)
    Message.objects.exclude(claimed_until=None).update(claimed_until=past)
    Bot.objects.update(resumes_at=past, next_call_at=past)


@contextmanager
def held_elsewhere(channel_id: int) -> Iterator[subprocess.Popen[str]]:
    """Another process that is the channel's sender."""
    command = [sys.executable, "-c", HOLDER, str(channel_id), str(connection.settings_dict["NAME"])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=settings.BASE_DIR)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.communicate()
