"""From approved to sent: the states a message goes through, and what each outcome leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from articles.models import DeadLetter
from publishing import claims, delivery, resolving, settling
from publishing.approval import AlreadyDecided, approve, withdraw, withdraw_many
from publishing.models import Attempt, Bot, Channel, Message, Publication, SandboxPost
from publishing.outcomes import NotSent, Sent, Unknown
from tests.factories import ChannelFactory, PublicationFactory, UserFactory
from tests.fakes.bot_api import BotApi, Fault, bot_api
from usage.models import Alert

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "123456789:AAcanary-canary_canary0canary1canary2"
State = Message.State


@pytest.fixture
def api(settings: Settings) -> Iterator[BotApi]:
    with bot_api() as server:
        settings.TELEGRAM_API_BASE_URL = server.url
        settings.TELEGRAM_TOKENS = {"TELEGRAM_BOT_TOKEN": TOKEN}
        yield server


def telegram(**fields: Any) -> Channel:
    made: Channel = ChannelFactory.create(kind=Channel.Kind.TELEGRAM, chat_id="@channel", **fields)
    return made


def approved(channel: Channel | None = None, *, scheduled_for: datetime | None = None, **fields: Any) -> Publication:
    publication = PublicationFactory.create(channel=channel or ChannelFactory.create(), **fields)
    return approve(publication.pk, by=None, scheduled_for=scheduled_for)


def wait_is_over(channel: Channel) -> None:
    """As if the pauses that failures impose had passed."""
    past = timezone.now() - timedelta(seconds=1)
    Channel.objects.filter(pk=channel.pk).update(next_post_at=past)
    Message.objects.filter(channel=channel).update(not_before=past)
    Bot.objects.update(resumes_at=past)


def unknown(api: BotApi) -> Message:
    api.faults.append(Fault.DROP)
    publication = approved(telegram())
    delivery.deliver(publication.channel_id)
    return publication.messages.get()


def die_while_sending(publication: Publication) -> Attempt:
    """What a sender leaves that was killed after it had committed "sending", long ago."""
    claim = claims.claim(publication.channel_id)
    assert claim is not None
    attempt = claims.begin(claim, timedelta(seconds=1))
    assert attempt is not None
    Message.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    return attempt


# --- going well -----------------------------------------------------------------------------------------------------


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


# --- waiting --------------------------------------------------------------------------------------------------------


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

    sent = delivery.deliver(channel.pk, until=timezone.now() + timedelta(seconds=10))

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


# --- going wrong ----------------------------------------------------------------------------------------------------


def test_what_was_proved_not_sent_is_sent_later(api: BotApi) -> None:
    api.faults.append(Fault.FLOOD)
    publication = approved(telegram())

    delivery.deliver(publication.channel_id)
    assert publication.messages.get().state == State.READY
    assert api.ledger == []

    wait_is_over(publication.channel)
    delivery.deliver(publication.channel_id)
    assert len(api.ledger) == 1


def test_a_flood_holds_every_channel_of_the_bot(api: BotApi) -> None:
    api.faults.append(Fault.FLOOD)
    flooded, other = telegram(), telegram()
    approved(flooded)
    approved(other)

    delivery.deliver(flooded.pk)

    assert delivery.due_channels() == []
    assert delivery.due_channels(timezone.now() + timedelta(seconds=8)) == [flooded.pk, other.pk]


def test_each_failure_doubles_the_wait() -> None:
    attempts = [settling._backoff(tries).total_seconds() for tries in (1, 2, 3, 40)]

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
    wait_is_over(publication.channel)
    delivery.deliver(publication.channel_id)

    assert api.ledger[0]["chat_id"] == "-1002000000001"


def test_a_lost_reply_leaves_the_message_unknown_and_is_not_sent_again(api: BotApi) -> None:
    message = unknown(api)

    wait_is_over(message.channel)
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


# --- a person decides -----------------------------------------------------------------------------------------------


def test_a_person_may_say_that_it_was_sent(api: BotApi) -> None:
    message, editor = unknown(api), UserFactory.create()

    resolving.resolve_as_sent(message.pk, by=editor, number=100)

    publication = Publication.objects.get()
    assert publication.state == Publication.State.PUBLISHED
    assert publication.history.first().history_user == editor
    assert Message.objects.get().resolved_by == editor


def test_a_person_may_say_so_without_knowing_the_number(api: BotApi) -> None:
    message = unknown(api)

    resolving.resolve_as_sent(message.pk, by=UserFactory.create())

    assert Message.objects.get().state == State.SENT


def test_a_person_may_send_it_again(api: BotApi) -> None:
    message = unknown(api)

    resolving.send_again(message.pk, by=UserFactory.create())
    wait_is_over(message.channel)
    delivery.deliver(message.channel_id)

    assert len(api.ledger) == 2
    assert Message.objects.get().state == State.SENT


def test_what_is_known_needs_no_decision() -> None:
    publication = approved()
    delivery.deliver(publication.channel_id)

    with pytest.raises(AlreadyDecided):
        resolving.send_again(publication.messages.get().pk, by=UserFactory.create())


# --- after a death --------------------------------------------------------------------------------------------------


def test_a_claim_that_led_to_no_call_is_void() -> None:
    publication = approved()
    claims.claim(publication.channel_id)
    Message.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))

    recovered = delivery.recover()

    assert recovered == 1
    assert delivery.deliver(publication.channel_id) == 1


def test_a_post_that_reached_the_sandbox_before_the_death_is_found() -> None:
    publication = approved()
    die_while_sending(publication)
    message = publication.messages.get()
    SandboxPost.objects.create(channel=publication.channel, message=message, payload=message.payload)

    delivery.recover()

    publication.refresh_from_db()
    assert publication.state == Publication.State.PUBLISHED
    assert SandboxPost.objects.count() == 1


def test_a_post_that_did_not_reach_the_sandbox_is_sent_again() -> None:
    publication = approved()
    die_while_sending(publication)

    delivery.recover()
    delivery.deliver(publication.channel_id)

    assert SandboxPost.objects.count() == 1
    assert list(Attempt.objects.order_by("id").values_list("outcome", flat=True)) == ["not_sent", "sent"]


def test_a_death_while_telegram_was_called_leaves_the_message_unknown(api: BotApi) -> None:
    publication = approved(telegram())
    die_while_sending(publication)

    delivery.recover()
    delivery.deliver(publication.channel_id)

    assert publication.messages.get().state == State.UNKNOWN
    assert api.calls == []


def test_a_sender_within_its_deadline_is_left_alone() -> None:
    publication = approved()
    claim = claims.claim(publication.channel_id)
    assert claim is not None
    claims.begin(claim, timedelta(minutes=1))

    assert delivery.recover() == 0
    assert publication.messages.get().state == State.SENDING


def test_a_late_proof_still_counts(api: BotApi) -> None:
    publication = approved(telegram())
    attempt = die_while_sending(publication)
    delivery.recover()

    settling.settle(attempt, Sent(77))

    assert publication.messages.get().message_id == 77


def test_a_late_proof_that_nothing_was_sent_makes_it_due_again(api: BotApi) -> None:
    publication = approved(telegram())
    attempt = die_while_sending(publication)
    delivery.recover()

    settling.settle(attempt, NotSent("нет связи"))

    assert publication.messages.get().state == State.READY


def test_who_lost_the_message_no_longer_writes_to_it() -> None:
    publication = approved()
    late = die_while_sending(publication)
    Message.objects.update(state=State.SENDING, fence=F("fence") + 1)

    settled = settling.settle(late, NotSent("поздно"))

    message = publication.messages.get()
    assert (settled, message.state, message.last_error) == (False, State.SENDING, "")


def test_a_late_guess_does_not_undo_a_proof() -> None:
    publication = approved()
    attempt = die_while_sending(publication)
    settling.settle(attempt, Sent(5))

    settling.settle(attempt, Unknown("?"))

    attempt.refresh_from_db()
    assert (publication.messages.get().state, attempt.outcome) == (State.SENT, Attempt.Outcome.SENT)


def test_a_claim_that_was_given_up_makes_no_call() -> None:
    publication = approved()
    claim = claims.claim(publication.channel_id)
    assert claim is not None
    Message.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    delivery.recover()

    assert claims.begin(claim, timedelta(seconds=1)) is None
    publication.refresh_from_db()
    assert publication.state == Publication.State.APPROVED


def test_what_was_held_after_the_claim_is_not_sent() -> None:
    publication = approved()
    claim = claims.claim(publication.channel_id)
    assert claim is not None
    Publication.objects.update(state=Publication.State.HELD)

    attempt = claims.begin(claim, timedelta(seconds=1))

    assert (attempt, publication.messages.get().state) == (None, State.READY)


# --- many at once ---------------------------------------------------------------------------------------------------


def test_senders_on_one_channel_never_send_twice(api: BotApi) -> None:
    channel = telegram()
    publications = [approved(channel) for _ in range(12)]

    def send() -> None:
        delivery.deliver(channel.pk, until=timezone.now() + timedelta(seconds=20))
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


# --- secrets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.HANG], ids=lambda fault: fault.name)
def test_the_token_is_in_no_row(api: BotApi, fault: Fault) -> None:
    api.faults.append(fault)
    publication = approved(telegram())

    delivery.deliver(publication.channel_id)

    models = (Alert, Attempt, Bot, Message, Publication, Channel, DeadLetter, Publication.history.model)
    rows = str([list(model.objects.values()) for model in models])
    assert Attempt.objects.exists()
    assert TOKEN.partition(":")[2] not in rows
