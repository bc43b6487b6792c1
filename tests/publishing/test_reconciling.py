"""Looking into the channel for a message of which nobody knows whether it was sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from publishing import delivery, reconciling
from publishing.models import Bot, Channel, Message, Probe, Publication
from publishing.models.bot import FAILURES_UNTIL_BROKEN
from tests.fakes.bot_api import BotApi, Fault, bot_api
from tests.publishing.outbox import AUDIT, CHANNEL, TOKEN, approved, lose_reply, telegram, wait_is_over
from usage.models import Alert

pytestmark = pytest.mark.django_db(transaction=True)
State = Message.State


@pytest.fixture
def api(settings: Settings) -> Iterator[BotApi]:
    with bot_api() as server:
        settings.TELEGRAM_API_BASE_URL, settings.TELEGRAM_TIMEOUT = server.url, 20
        settings.TELEGRAM_TOKENS = {"TELEGRAM_BOT_TOKEN": TOKEN}
        yield server


@pytest.fixture
def channel(api: BotApi) -> Channel:
    """A channel with an audit chat, whose first post has gone out."""
    made = telegram(audit_chat_id=AUDIT)
    approved(made, title="Первая")
    delivery.deliver(made.pk)
    return made


def test_a_post_that_stands_in_the_channel_was_sent(api: BotApi, channel: Channel) -> None:
    message = lose_reply(api, channel)

    reconciling.reconcile(message.pk)

    message.refresh_from_db()
    assert (message.state, message.message_id) == (State.SENT, api.stand_in(CHANNEL)[-1]["message_id"])
    assert message.publication.messages.get().publication.state == Publication.State.PUBLISHED
    assert not Alert.objects.open().exists()


def test_the_probes_are_deleted(api: BotApi, channel: Channel) -> None:
    message = lose_reply(api, channel)

    reconciling.reconcile(message.pk)

    assert len(api.called("forwardMessage")) == 1
    assert api.stand_in(AUDIT) == []


def test_posts_of_other_authors_are_passed_over_and_noted(api: BotApi, channel: Channel) -> None:
    api.post_by_somebody(CHANNEL, "Чужая запись")
    message = lose_reply(api, channel)

    reconciling.reconcile(message.pk)

    message.refresh_from_db()
    assert message.state == State.SENT
    seen = Probe.objects.filter(attempt__message=message).values_list("found", "text")
    assert seen[0] == (Probe.Found.OTHER, "Чужая запись")


def test_what_is_not_found_is_left_to_a_person(api: BotApi, channel: Channel) -> None:
    message = lose_reply(api, channel, Fault.GARBAGE)

    reconciling.reconcile(message.pk)
    wait_is_over()
    delivery.deliver(channel.pk)

    message.refresh_from_db()
    assert message.state == State.NEEDS_PERSON
    assert len(api.stand_in(CHANNEL)) == 1
    assert Alert.objects.open().filter(code="post_unresolved", subject=str(message.pk)).exists()


def test_without_an_audit_chat_a_person_decides(api: BotApi, channel: Channel) -> None:
    Channel.objects.update(audit_chat_id="")
    message = lose_reply(api, channel)

    reconciling.reconcile(message.pk)

    message.refresh_from_db()
    assert (message.state, api.called("forwardMessage")) == (State.NEEDS_PERSON, [])


def test_nobody_looks_before_the_quiet_time_is_over(api: BotApi, channel: Channel) -> None:
    api.faults.append(Fault.DROP)
    approved(channel)
    delivery.deliver(channel.pk)

    assert not reconciling.due().exists()


def test_when_telegram_cannot_be_asked_it_is_asked_later(api: BotApi, channel: Channel, settings: Settings) -> None:
    message = lose_reply(api, channel)
    url, settings.TELEGRAM_API_BASE_URL = settings.TELEGRAM_API_BASE_URL, "http://127.0.0.1:1"

    assert not reconciling.reconcile(message.pk)
    assert not reconciling.due().exists()

    wait_is_over()
    settings.TELEGRAM_API_BASE_URL = url
    assert reconciling.reconcile(message.pk)


def test_it_is_looked_for_as_soon_as_the_bot_can_be_called(api: BotApi, channel: Channel) -> None:
    message = lose_reply(api, channel)
    Bot.objects.update(failures=FAILURES_UNTIL_BROKEN)
    assert not reconciling.due().exists()

    Bot.objects.update(failures=0)

    assert reconciling.due().get() == message


def test_a_look_that_is_answered_says_that_telegram_answers(api: BotApi, channel: Channel) -> None:
    message = lose_reply(api, channel)
    assert Bot.objects.get().failures == 1

    reconciling.reconcile(message.pk)

    assert Bot.objects.get().failures == 0


def test_nothing_passes_an_unknown_message(api: BotApi, channel: Channel) -> None:
    lose_reply(api, channel)
    approved(channel)

    assert delivery.deliver(channel.pk) == 0
    assert delivery.due_channels() == []


def test_an_operator_may_let_others_pass(api: BotApi, channel: Channel) -> None:
    lose_reply(api, channel)
    approved(channel)
    Channel.objects.update(passes_unresolved=True)

    assert delivery.deliver(channel.pk) == 1


def test_a_post_of_ours_is_not_taken_for_the_lost_one(api: BotApi, channel: Channel) -> None:
    message = lose_reply(api, channel, Fault.GARBAGE)
    Channel.objects.update(passes_unresolved=True)
    copy = approved(channel)
    copy.messages.update(payload=message.payload)
    delivery.deliver(channel.pk)

    reconciling.reconcile(message.pk)

    message.refresh_from_db()
    assert message.state == State.NEEDS_PERSON
