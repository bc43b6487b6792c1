"""After a death: nothing a dead sender has left is lost, and no late outcome undoes a proof."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from publishing import claims, delivery, settling
from publishing.models import Attempt, Message, Publication, SandboxPost
from publishing.outcomes import NotSent, Sent, Unknown
from tests.fakes.bot_api import BotApi
from tests.publishing.outbox import approved, die_while_sending, telegram

pytestmark = pytest.mark.django_db(transaction=True)
State = Message.State


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
