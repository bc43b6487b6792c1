"""A person has looked into the channel, and says what became of a message."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from publishing import delivery, post_links, reconciling, resolving
from publishing.approval import AlreadyDecided
from publishing.models import Channel, Message, Probe, Publication
from publishing.post_links import NoPost
from publishing.resolving import AnotherPost
from tests.factories import UserFactory
from tests.fakes.bot_api import BotApi, Fault
from tests.people import signed_in
from tests.publishing.outbox import AUDIT, approved, lose_reply, telegram, unknown, wait_is_over

pytestmark = pytest.mark.django_db(transaction=True)
State = Message.State


@pytest.fixture
def lost(api: BotApi) -> Message:
    """A message that needs a person: number 100 stands in the channel before it, 101 is somebody else's post."""
    channel = telegram(audit_chat_id=AUDIT)
    approved(channel, title="Первая")
    delivery.deliver(channel.pk)
    api.post_by_somebody(channel.chat_id, "Чужая запись")
    message = lose_reply(api, channel, Fault.GARBAGE)
    reconciling.reconcile(message.pk)
    message.refresh_from_db()
    return message


# --- numbers and addresses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["123", " 123 ", "https://t.me/Channel/123", "t.me/s/channel/5/123?single"])
def test_a_post_is_named_by_its_number_or_its_address(written: str) -> None:
    assert post_links.number_of(written, Channel(kind="telegram", chat_id="@channel")) == 123


@pytest.mark.parametrize(
    "written", ["", "abc", "0", "-5", "https://t.me/other/123", "https://example.org/123", "9" * 20]
)
def test_what_names_no_post_of_the_channel_is_refused(written: str) -> None:
    with pytest.raises(NoPost):
        post_links.number_of(written, Channel(kind="telegram", chat_id="@channel"))


def test_a_private_channel_is_told_by_its_number() -> None:
    channel = Channel(kind="telegram", chat_id="-1001234")

    assert post_links.number_of("https://t.me/c/1234/7", channel) == 7
    assert post_links.link(channel, 7) == "https://t.me/c/1234/7"
    with pytest.raises(NoPost):
        post_links.number_of("https://t.me/c/999/7", channel)


# --- deciding -------------------------------------------------------------------------------------------------------


def test_it_is_sent_as_this(lost: Message) -> None:
    resolving.resolve_as_sent(lost.pk, by=UserFactory.create(), number=102)

    lost.refresh_from_db()
    assert (lost.state, lost.message_id) == (State.SENT, 102)
    assert Channel.objects.get().last_message_id == 102


@pytest.mark.parametrize("number", [99, 100])
def test_a_post_that_stood_there_before_is_not_this_one(lost: Message, number: int) -> None:
    with pytest.raises(AnotherPost):
        resolving.resolve_as_sent(lost.pk, by=UserFactory.create(), number=number)

    assert Message.objects.get(pk=lost.pk).is_unresolved


def test_a_number_may_be_noted_later_and_once(lost: Message) -> None:
    person = UserFactory.create()
    resolving.resolve_as_sent(lost.pk, by=person)

    resolving.note_post(lost.pk, by=person, number=102)

    with pytest.raises(AlreadyDecided):
        resolving.note_post(lost.pk, by=person, number=103)


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
    wait_is_over()
    delivery.deliver(message.channel_id)

    assert len(api.ledger) == 2
    assert Message.objects.get().state == State.SENT


def test_what_is_known_needs_no_decision() -> None:
    publication = approved()
    delivery.deliver(publication.channel_id)

    with pytest.raises(AlreadyDecided):
        resolving.send_again(publication.messages.get().pk, by=UserFactory.create())


# --- the page -------------------------------------------------------------------------------------------------------


def page_of(message: Message) -> str:
    return reverse("admin:publishing_publication_change", args=[message.publication_id])


def test_everything_known_is_laid_out(lost: Message) -> None:
    page = signed_in("publisher").get(page_of(lost)).content.decode()

    assert "Чужая запись" in page
    assert "https://t.me/channel/100" in page
    assert 'name="_sent_as"' in page


def test_an_address_settles_it(lost: Message) -> None:
    answer = {"_sent_as": lost.pk, f"post-{lost.pk}": "https://t.me/channel/102"}

    signed_in("publisher").post(page_of(lost), answer)

    assert Publication.objects.get(pk=lost.publication_id).state == Publication.State.PUBLISHED
    assert Message.objects.get(pk=lost.pk).message_id == 102


def test_a_wrong_address_settles_nothing(lost: Message) -> None:
    answer = {"_sent_as": lost.pk, f"post-{lost.pk}": "https://t.me/other/102"}

    signed_in("publisher").post(page_of(lost), answer)

    assert Message.objects.get(pk=lost.pk).is_unresolved


def test_an_editor_may_look_but_not_decide(lost: Message) -> None:
    editor = signed_in("editor")

    page = editor.get(page_of(lost)).content.decode()

    assert ("Чужая запись" in page, 'name="_sent_as"' in page) == (True, False)
    assert editor.post(page_of(lost), {"_was_sent": lost.pk}).status_code == 403


# --- copies in the audit chat ---------------------------------------------------------------------------------------


def test_a_copy_that_could_not_be_deleted_is_deleted_later(api: BotApi) -> None:
    channel = telegram(audit_chat_id=AUDIT)
    approved(channel)
    delivery.deliver(channel.pk)
    message = lose_reply(api, channel)
    api.change_faults.append(Fault.GARBAGE)
    reconciling.reconcile(message.pk)
    left = Probe.objects.get()

    Probe.objects.update(remove_at=timezone.now())
    gone = reconciling.remove_copies()

    assert left.is_left
    assert left.error
    assert (gone, api.stand_in(AUDIT), Probe.objects.get().is_left) == (1, [], False)


def test_a_copy_that_telegram_keeps_is_left_to_a_person(api: BotApi) -> None:
    channel = telegram(audit_chat_id=AUDIT)
    approved(channel)
    delivery.deliver(channel.pk)
    message = lose_reply(api, channel)
    api.locked.add(100)

    reconciling.reconcile(message.pk)

    probe = Probe.objects.get()
    assert (probe.is_left, probe.remove_at) == (True, None)
