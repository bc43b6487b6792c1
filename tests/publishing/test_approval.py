"""Decisions of editors: who is first, what was seen, and what is kept of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from publishing import approval
from publishing.models import Message, Publication
from publishing.rendering import payload_hash
from tests.factories import PublicationFactory, UserFactory

pytestmark = pytest.mark.django_db

State = Publication.State


def test_approval_freezes_what_the_publication_says() -> None:
    publication = PublicationFactory.create(title="Заголовок", text="Текст.")

    approval.approve(publication.pk, by=UserFactory.create())

    message = Message.objects.get(publication=publication)
    assert message.payload["text"].startswith("Заголовок\n\nТекст.")
    assert message.payload_hash == payload_hash(message.payload)
    assert message.state == Message.State.READY


def test_a_long_text_becomes_several_messages_in_order() -> None:
    publication = PublicationFactory.create(text="Предложение о порте. " * 300)

    approval.approve(publication.pk, by=None)

    parts = Message.objects.filter(publication=publication).order_by("ordinal")
    assert [part.ordinal for part in parts] == [1, 2]


def test_who_approved_is_kept() -> None:
    editor, publication = UserFactory.create(), PublicationFactory.create()

    approval.approve(publication.pk, by=editor)

    entry = publication.history.first()
    assert (entry.history_user, entry.history_change_reason, entry.state) == (editor, "approved", "approved")
    publication.refresh_from_db()
    assert publication.approved_by == editor


def test_the_second_of_two_decisions_is_told_of_the_first() -> None:
    publication = PublicationFactory.create()
    approval.reject(publication.pk, by=None, reason="дубль")

    with pytest.raises(approval.AlreadyDecided):
        approval.approve(publication.pk, by=None)

    assert not Message.objects.exists()


def test_a_version_that_nobody_has_seen_is_not_approved() -> None:
    publication = PublicationFactory.create()
    approval.edit(publication.pk, by=None, revision=1, title="Другой", text="Другой текст")

    with pytest.raises(approval.Changed):
        approval.approve(publication.pk, by=None, revision=1)

    publication.refresh_from_db()
    assert publication.state == State.PENDING


def test_two_editors_do_not_overwrite_each_other() -> None:
    publication = PublicationFactory.create()
    approval.edit(publication.pk, by=None, revision=1, title="Первый", text="Первый текст")

    with pytest.raises(approval.Changed):
        approval.edit(publication.pk, by=None, revision=1, title="Второй", text="Второй текст")

    publication.refresh_from_db()
    assert (publication.title, publication.final_text, publication.revision) == ("Первый", "Первый текст", 2)


def test_a_schedule_ahead_is_kept_and_one_behind_means_now() -> None:
    ahead, now = timezone.now() + timedelta(hours=2), timezone.now()
    later, past = PublicationFactory.create(), PublicationFactory.create()

    approval.approve(later.pk, by=None, scheduled_for=ahead)
    approval.approve(past.pk, by=None, scheduled_for=now - timedelta(hours=2))

    assert later.messages.get().not_before == ahead
    assert past.messages.get().not_before >= now


def test_nothing_to_read_is_not_approved() -> None:
    publication = PublicationFactory.create(title="\u200b", text="")

    with pytest.raises(approval.NothingToSend):
        approval.approve(publication.pk, by=None)


def test_a_withdrawn_publication_can_be_approved_again() -> None:
    publication = PublicationFactory.create()
    approval.approve(publication.pk, by=None)

    approval.withdraw(publication.pk, by=None)

    publication.refresh_from_db()
    assert (publication.state, publication.messages.count()) == (State.PENDING, 0)
    approval.approve(publication.pk, by=None)


@pytest.mark.parametrize("state", [Message.State.CLAIMED, Message.State.SENDING, Message.State.UNKNOWN])
def test_what_may_have_left_is_not_withdrawn(state: str) -> None:
    publication = PublicationFactory.create()
    approval.approve(publication.pk, by=None)
    publication.messages.update(state=state)

    with pytest.raises(approval.AlreadyDecided):
        approval.withdraw(publication.pk, by=None)

    publication.refresh_from_db()
    assert (publication.state, publication.messages.count()) == (State.APPROVED, 1)


def test_an_approved_publication_is_not_edited() -> None:
    publication = PublicationFactory.create()
    approval.approve(publication.pk, by=None)

    with pytest.raises(approval.AlreadyDecided):
        approval.edit(publication.pk, by=None, revision=1, title="Другой", text="Другой текст")


def test_a_publication_that_is_gone_says_so() -> None:
    with pytest.raises(approval.Missing):
        approval.approve(0, by=None)


def test_many_are_decided_one_by_one_and_counted() -> None:
    waiting, decided = PublicationFactory.create_batch(2), PublicationFactory.create(state=State.REJECTED)

    tally = approval.approve_many([*(publication.pk for publication in waiting), decided.pk], by=None)

    assert (tally.done, tally.refused, len(tally.reasons)) == (2, 1, 1)


def test_many_are_bound_to_what_was_seen() -> None:
    publication = PublicationFactory.create(revision=2)

    tally = approval.approve_many([publication.pk], by=None, seen={publication.pk: 1})

    assert (tally.done, tally.refused) == (0, 1)


def test_many_are_rejected_and_withdrawn() -> None:
    numbers = [publication.pk for publication in PublicationFactory.create_batch(2)]

    rejected = approval.reject_many(numbers, by=None, reason="дубль")
    withdrawn = approval.withdraw_many(numbers, by=None)

    assert (rejected.done, withdrawn.done) == (2, 2)
    assert set(Publication.objects.values_list("state", "reason")) == {(State.PENDING, "")}
