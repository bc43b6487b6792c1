"""One sender per channel: a lock that dies with its process and with nothing else."""

from __future__ import annotations

import os
import signal
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from publishing import claims, clocks, delivery
from publishing.delivery import transport_of
from publishing.exclusion import only_sender
from publishing.models import Bot, Message, SandboxPost
from publishing.settling import LONGEST_BACKOFF
from tests.factories import ChannelFactory
from tests.publishing.outbox import approved, held_elsewhere, telegram, wait_is_over

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_second_sender_is_turned_away() -> None:
    found = []

    def try_it() -> None:
        with only_sender(1) as is_held:
            found.append(is_held is not None)
        connection.close()

    with only_sender(1):
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()

    assert found == [False]


def test_each_channel_has_a_lock_of_its_own() -> None:
    with only_sender(1) as first, only_sender(2) as second:
        assert first
        assert second


def test_the_lock_is_given_back() -> None:
    with only_sender(1):
        pass

    with held_elsewhere(1):
        pass


def test_while_another_process_sends_nothing_goes_out_here() -> None:
    publication = approved()

    with held_elsewhere(publication.channel_id):
        sent = delivery.deliver(publication.channel_id)

    assert sent == 0


def test_a_killed_sender_loses_the_lock_at_once() -> None:
    publication = approved()

    with held_elsewhere(publication.channel_id) as process:
        process.kill()
        process.wait()
        deadline = time.monotonic() + 60
        while not delivery.deliver(publication.channel_id) and time.monotonic() < deadline:
            time.sleep(0.05)

    assert SandboxPost.objects.count() == 1


def test_a_stopped_sender_past_its_deadline_is_not_taken_over() -> None:
    publication = approved()
    claim = claims.claim(publication.channel_id)
    assert claim is not None
    claims.begin(claim, timedelta(seconds=1))
    wait_is_over()

    with held_elsewhere(publication.channel_id) as process:
        os.kill(process.pid, signal.SIGSTOP)
        recovered, sent = delivery.recover(), delivery.deliver(publication.channel_id)

    assert (recovered, sent) == (0, 0)
    assert publication.messages.get().state == Message.State.SENDING


def test_nothing_passes_a_call_in_flight_even_without_its_lock() -> None:
    channel = ChannelFactory.create()
    approved(channel)
    approved(channel)
    claims.claim(channel.pk)

    assert delivery.deliver(channel.pk) == 0
    assert delivery.due_channels() == []


def test_a_clock_that_was_set_back_holds_nobody_up() -> None:
    publication = approved()
    ahead = timezone.now() + timedelta(hours=1)
    Message.objects.update(not_before=ahead)
    type(publication.channel).objects.update(next_post_at=ahead)

    clocks.mend()

    assert delivery.deliver(publication.channel_id) == 1


def test_what_failed_waits_for_the_end_of_its_call_by_a_clock_that_is_right() -> None:
    publication = approved(telegram())
    waits_until = timezone.now() + transport_of(publication.channel).time_limit + LONGEST_BACKOFF
    Message.objects.update(not_before=waits_until)

    clocks.mend()

    assert Message.objects.get().not_before == waits_until


def test_what_telegram_asked_for_waits_as_long_as_its_bot() -> None:
    asked_for = timezone.now() + timedelta(minutes=5)
    publication = approved(telegram())
    Bot.objects.create(token_env=publication.channel.token_env, resumes_at=asked_for)
    Message.objects.update(not_before=asked_for)

    clocks.mend()

    assert Message.objects.get().not_before == asked_for


def test_what_an_editor_has_scheduled_is_no_wrong_clock() -> None:
    publication = approved()
    ahead = timezone.now() + timedelta(hours=1)
    type(publication).objects.update(scheduled_for=ahead)
    Message.objects.update(not_before=ahead)

    clocks.mend()

    assert delivery.deliver(publication.channel_id) == 0
