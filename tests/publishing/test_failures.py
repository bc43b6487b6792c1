"""What each failure leaves behind: the message waits, is dead, or is unknown, and the row says why."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from articles.models import DeadLetter
from publishing import delivery, settling
from publishing.approval import approve, withdraw
from publishing.models import Channel, Message, Publication
from tests.fakes.bot_api import BotApi, Fault
from tests.publishing.outbox import approved, telegram, unknown, wait_is_over

pytestmark = pytest.mark.django_db(transaction=True)
State = Message.State


def test_what_was_proved_not_sent_is_sent_later(api: BotApi) -> None:
    api.faults.append(Fault.FLOOD)
    publication = approved(telegram())

    delivery.deliver(publication.channel_id)
    assert publication.messages.get().state == State.READY
    assert api.ledger == []

    wait_is_over()
    delivery.deliver(publication.channel_id)
    assert len(api.ledger) == 1


def test_a_flood_holds_every_channel_of_the_bot(api: BotApi) -> None:
    api.faults.append(Fault.FLOOD)
    flooded, other = telegram(), telegram()
    approved(flooded)
    approved(other)

    delivery.deliver(flooded.pk)

    assert delivery.due_channels() == []
    assert set(delivery.due_channels(timezone.now() + timedelta(seconds=8))) == {flooded.pk, other.pk}


def test_each_failure_doubles_the_wait() -> None:
    attempts = [settling.backoff(tries).total_seconds() for tries in (1, 2, 3, 40)]

    assert attempts == [5, 10, 20, 20]


def test_a_refused_post_fails_with_a_reason_and_holds_up_nobody(api: BotApi) -> None:
    api.faults.append(Fault.REFUSED)
    channel = telegram()
    refused, fine = approved(channel), approved(channel)

    delivery.deliver(channel.pk)

    refused.refresh_from_db()
    assert refused.state == Publication.State.FAILED
    assert "can't parse entities" in refused.last_error
    assert DeadLetter.objects.get().entity_ref == str(refused.pk)
    assert api.texts == [fine.messages.get().payload["text"]]


def test_a_refused_publication_can_be_changed_and_sent(api: BotApi) -> None:
    api.faults.append(Fault.REFUSED)
    publication = approved(telegram())
    delivery.deliver(publication.channel_id)

    withdraw(publication.pk, by=None)
    approve(publication.pk, by=None)
    delivery.deliver(publication.channel_id)

    assert len(api.ledger) == 1
    assert not DeadLetter.objects.exists()


def test_a_bot_that_was_removed_pauses_its_channel_and_keeps_the_post(api: BotApi) -> None:
    api.faults.append(Fault.FORBIDDEN)
    publication = approved(telegram())

    delivery.deliver(publication.channel_id)

    channel = Channel.objects.get()
    assert channel.is_paused
    assert "bot is not a member" in channel.pause_reason
    assert publication.messages.get().state == State.READY


def test_a_chat_that_moved_is_followed(api: BotApi) -> None:
    api.faults.append(Fault.MIGRATED)
    publication = approved(telegram())

    delivery.deliver(publication.channel_id)
    wait_is_over()
    delivery.deliver(publication.channel_id)

    assert api.ledger[0]["chat_id"] == "-1002000000001"


def test_a_lost_reply_leaves_the_message_unknown_and_is_not_sent_again(api: BotApi) -> None:
    message = unknown(api)

    wait_is_over()
    delivery.deliver(message.channel_id)
    delivery.recover()

    assert Message.objects.get().state == State.UNKNOWN
    assert len(api.ledger) == 1


def test_parts_after_an_unknown_one_wait(api: BotApi) -> None:
    api.faults.append(Fault.DROP)
    publication = approved(telegram(), text="Предложение о порте. " * 500)

    delivery.deliver(publication.channel_id)

    assert set(publication.messages.values_list("ordinal", "state")) == {
        (1, State.UNKNOWN),
        (2, State.READY),
        (3, State.READY),
    }
