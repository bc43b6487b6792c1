"""Channels that post to one chat with one bot share the chat's pace, whoever sends from which process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from publishing import changing, clocks, delivery
from publishing.models import Bot, Channel, Chat, Message
from tests.fakes.bot_api import BotApi, Fault, bot_api
from tests.publishing.outbox import TOKEN, approved, telegram, wait_is_over

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def api(settings: Settings) -> Iterator[BotApi]:
    with bot_api() as server:
        settings.TELEGRAM_API_BASE_URL = server.url
        settings.TELEGRAM_TOKENS = {"TELEGRAM_BOT_TOKEN": TOKEN}
        settings.TELEGRAM_MESSAGES_PER_MINUTE = 1
        yield server


def chat_is_free() -> None:
    wait_is_over()
    Chat.objects.update(next_call_at=timezone.now() - timedelta(seconds=1))


def test_two_channels_of_one_chat_take_turns(api: BotApi) -> None:
    channels = [telegram(), telegram()]
    for channel in channels:
        approved(channel)

    sent = [delivery.deliver(channel.pk) for channel in channels]
    due = delivery.due_channels()
    chat_is_free()

    assert (sent, due) == ([1, 0], [])
    assert delivery.due_channels() == [channels[1].pk]


def test_the_channel_that_has_waited_longest_comes_first(api: BotApi) -> None:
    channels = [telegram(chat_id=f"@chat{number}", name=f"{number}") for number in range(3)]
    for channel, minutes in zip(channels, (2, 3, 1), strict=True):
        approved(channel)
        Channel.objects.filter(pk=channel.pk).update(next_post_at=timezone.now() - timedelta(minutes=minutes))

    due = delivery.due_channels()

    assert due == [channels[1].pk, channels[0].pk, channels[2].pk]


def test_channels_of_different_chats_do_not_wait_for_each_other(api: BotApi) -> None:
    channels = [telegram(), telegram(chat_id="@other")]
    for channel in channels:
        approved(channel)

    assert [delivery.deliver(channel.pk) for channel in channels] == [1, 1]


def test_processes_that_send_at_once_to_one_chat_share_its_pace(api: BotApi) -> None:
    channels = [telegram() for _ in range(4)]
    for channel in channels:
        approved(channel)

    def send(channel: Channel) -> None:
        delivery.deliver(channel.pk)
        connection.close()

    threads = [threading.Thread(target=send, args=[channel]) for channel in channels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(api.ledger) == 1


def test_a_correction_keeps_the_pace_of_the_chat(api: BotApi) -> None:
    channel = telegram()
    publication = approved(channel)
    delivery.deliver(channel.pk)
    changing.delete(publication.pk, by=None, seen=0)

    assert delivery.deliver(channel.pk) == 0
    chat_is_free()
    assert delivery.deliver(channel.pk) == 1


def test_a_post_of_the_other_channel_is_known_to_the_search(api: BotApi) -> None:
    first, second = telegram(), telegram()
    approved(first)
    delivery.deliver(first.pk)
    chat_is_free()
    api.faults.append(Fault.DROP)
    approved(second)

    delivery.deliver(second.pk)

    attempt = Message.objects.get(channel=second).attempts.get()
    assert attempt.last_message_id == api.ledger[0]["message_id"]


def test_a_clock_that_was_wrong_does_not_shut_a_chat(api: BotApi) -> None:
    channel = telegram()
    approved(channel)
    Chat.objects.create(
        token_env=channel.token_env, chat_id=channel.chat_id, next_call_at=timezone.now() + timedelta(days=1)
    )

    clocks.mend()

    assert delivery.due_channels() == [channel.pk]


def test_a_clock_that_was_wrong_does_not_shut_a_bot(api: BotApi) -> None:
    channel = telegram()
    approved(channel)
    Bot.objects.create(token_env=channel.token_env, next_call_at=timezone.now() + timedelta(hours=1))

    clocks.mend()

    assert delivery.deliver(channel.pk) == 1
