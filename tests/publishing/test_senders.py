"""Many senders and editors at once: each post once, at the channel's pace, or not at all."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from publishing import delivery
from publishing.approval import withdraw_many
from publishing.models import Message, Publication, SandboxPost
from tests.factories import ChannelFactory
from tests.fakes.bot_api import BotApi
from tests.publishing.outbox import approved, telegram

pytestmark = pytest.mark.django_db(transaction=True)
State = Message.State


def test_senders_on_one_channel_never_send_twice(api: BotApi) -> None:
    channel = telegram()
    publications = [approved(channel) for _ in range(12)]

    def send() -> None:
        delivery.deliver(channel.pk, until=timezone.now() + timedelta(minutes=2))
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    frozen = [publication.messages.get().payload["text"] for publication in publications]
    assert sorted(api.texts) == sorted(frozen)
    assert set(Message.objects.values_list("state", flat=True)) == {State.SENT}


def test_a_publication_is_withdrawn_or_sent_but_never_both() -> None:
    channel = ChannelFactory.create()
    publications = [approved(channel) for _ in range(20)]

    def withdraw_all() -> None:
        withdraw_many([publication.pk for publication in reversed(publications)], by=None)
        connection.close()

    thread = threading.Thread(target=withdraw_all)
    thread.start()
    delivery.deliver(channel.pk)
    thread.join()
    delivery.deliver(channel.pk)

    posted = set(SandboxPost.objects.values_list("message__publication", flat=True))
    published = Publication.objects.filter(state=Publication.State.PUBLISHED)
    assert posted == set(published.values_list("pk", flat=True))
    assert Publication.objects.filter(state=Publication.State.PENDING).count() == 20 - len(posted)


def test_senders_share_the_pace() -> None:
    channel = ChannelFactory.create(seconds_between_posts=60)
    for _ in range(4):
        approved(channel)

    def send() -> None:
        delivery.deliver(channel.pk)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert SandboxPost.objects.count() == 1
