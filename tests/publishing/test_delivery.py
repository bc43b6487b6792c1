"""From approved to sent: what goes out, in which order, and what it waits for."""

from __future__ import annotations

import threading
from datetime import time, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from publishing import delivery
from publishing.approval import withdraw
from publishing.models import Attempt, Message, Publication, SandboxPost
from tests.factories import ChannelFactory
from tests.fakes.bot_api import BotApi
from tests.publishing.outbox import approved, telegram

pytestmark = pytest.mark.django_db(transaction=True)
State = Message.State


def test_what_was_approved_is_sent_and_published() -> None:
    publication = approved()

    sent = delivery.deliver(publication.channel_id)

    publication.refresh_from_db()
    message = publication.messages.get()
    assert (sent, publication.state, message.state) == (1, Publication.State.PUBLISHED, State.SENT)
    assert publication.published_at is not None
    assert message.message_id == SandboxPost.objects.get(message=message).pk


def test_each_call_leaves_an_attempt() -> None:
    publication = approved()

    delivery.deliver(publication.channel_id)

    attempt = Attempt.objects.get()
    assert attempt.outcome == Attempt.Outcome.SENT
    assert attempt.payload_hash == publication.messages.get().payload_hash
    assert attempt.finished_at is not None
    assert attempt.started_at <= attempt.finished_at <= attempt.deadline


def test_a_telegram_channel_gets_the_frozen_payload(api: BotApi) -> None:
    publication = approved(telegram(), title="Заголовок")
    Publication.objects.update(title="Позже изменённый")

    delivery.deliver(publication.channel_id)

    assert api.texts[0].startswith("Заголовок\n\n")
    assert publication.messages.get().message_id == api.ledger[0]["message_id"]


def test_parts_go_out_in_their_order(api: BotApi) -> None:
    publication = approved(telegram(), text="Предложение о порте. " * 500)

    delivery.deliver(publication.channel_id)

    frozen = publication.messages.order_by("ordinal").values_list("payload__text", flat=True)
    assert api.texts == list(frozen)
    assert len(api.texts) == 3


def test_a_greater_priority_goes_first(api: BotApi) -> None:
    channel = telegram()
    approved(channel, title="Обычная")
    approved(channel, title="Срочная", priority=5)

    delivery.deliver(channel.pk)

    assert [text.split("\n")[0] for text in api.texts] == ["Срочная", "Обычная"]


@pytest.mark.parametrize(
    "channel",
    [{"is_paused": True}, {"quiet_from": time(0), "quiet_until": time(23, 59, 59)}, {"kind": "telegram"}],
    ids=["paused", "quiet hours", "no token"],
)
def test_a_channel_that_must_not_post_keeps_its_messages(channel: dict[str, Any], settings: Settings) -> None:
    settings.TELEGRAM_TOKENS = {}
    publication = approved(ChannelFactory.create(**channel))

    sent = delivery.deliver(publication.channel_id)

    assert (sent, publication.messages.get().state) == (0, State.READY)
    assert delivery.due_channels() == []


def test_what_is_scheduled_waits_for_its_time() -> None:
    publication = approved(scheduled_for=timezone.now() + timedelta(hours=1))

    assert delivery.deliver(publication.channel_id) == 0
    assert delivery.due_channels() == []
    assert delivery.due_channels(timezone.now() + timedelta(hours=2)) == [publication.channel_id]


def test_the_pace_lets_one_out_and_keeps_the_next() -> None:
    channel = ChannelFactory.create(seconds_between_posts=60)
    approved(channel)
    approved(channel)

    sent = delivery.deliver(channel.pk)

    assert sent == 1
    assert delivery.due_channels() == []


def test_until_waits_for_the_pace() -> None:
    channel = ChannelFactory.create(seconds_between_posts=1)
    approved(channel)
    approved(channel)

    sent = delivery.deliver(channel.pk, until=timezone.now() + timedelta(minutes=1))

    assert sent == 2


def test_a_wait_for_the_pace_can_be_stopped() -> None:
    channel, stopped = ChannelFactory.create(seconds_between_posts=3600), threading.Event()
    approved(channel)
    approved(channel)

    for _message, _outcome in delivery.deliveries(
        channel.pk, until=timezone.now() + timedelta(days=1), stopped=stopped
    ):
        stopped.set()

    assert SandboxPost.objects.count() == 1


def test_what_was_withdrawn_is_not_sent() -> None:
    publication = approved()
    withdraw(publication.pk, by=None)

    assert delivery.deliver(publication.channel_id) == 0
    assert not SandboxPost.objects.exists()
