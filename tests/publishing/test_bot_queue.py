"""The queue in the bot: what is seen is what is decided, once, by somebody who may."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from publishing import delivery
from publishing.approval import approve, edit, reject
from publishing.models import Publication, TelegramEditor
from tests.factories import ChannelFactory, PublicationFactory, UserFactory
from tests.people import person
from tests.publishing.chat import ADMIN, STRANGER, Chat, chat_with_bot

pytestmark = pytest.mark.django_db

State = Publication.State


@pytest.fixture
def chat(settings: Settings) -> Iterator[Chat]:
    with chat_with_bot(settings) as opened:
        yield opened


@pytest.fixture
def waiting() -> Publication:
    made: Publication = PublicationFactory.create(title="Порт <увеличил> перевалку & точка")
    return made


def link(user: User) -> User:
    TelegramEditor.objects.create(telegram_user_id=ADMIN, user=user)
    return user


def decided_by(publication: Publication) -> tuple[str, str]:
    """The newest entry of the history: what was decided, and by whom."""
    entry = publication.history.first()
    return entry.history_change_reason, entry.history_user.username


def test_an_empty_queue_says_so(chat: Chat) -> None:
    assert chat.write("/queue") == "Nothing waits for a decision."


def test_a_publication_is_shown_whole_with_its_channel_and_its_buttons(chat: Chat, waiting: Publication) -> None:
    said = chat.write("/queue")

    assert said.startswith(f"1/1 · {waiting.channel}")
    assert "Порт <увеличил> перевалку & точка" in said
    assert waiting.final_text in said
    assert chat.buttons == ["✅ Approve", "🕒 Postpone", "❌ Reject"]


def test_a_very_long_text_is_shown_in_one_message(chat: Chat) -> None:
    PublicationFactory.create(title="Т" * 900, text="Слово и дело. " * 2000, last_error="О" * 900)

    said = chat.write("/queue")

    assert len(chat.api.ledger) == 1
    assert "…" in said


def test_approving_freezes_the_post_and_the_message_says_so(chat: Chat, waiting: Publication) -> None:
    chat.write("/queue")
    toast = chat.tap("✅ Approve")

    waiting.refresh_from_db()
    assert (waiting.state, waiting.messages.count(), toast) == (State.APPROVED, 1, "")
    assert "approved · by telegram:7" in chat.newest["text"]
    assert chat.buttons == ["↩ Back to the queue", "Next ›"]


def test_rejecting_can_be_taken_back(chat: Chat, waiting: Publication) -> None:
    chat.write("/queue")
    chat.tap("❌ Reject")
    rejected = Publication.objects.get().state
    chat.tap("↩ Back to the queue")

    assert (rejected, Publication.objects.get().state) == (State.REJECTED, State.PENDING)
    assert "✅ Approve" in chat.buttons


def test_an_administrator_without_an_account_decides_under_the_number_of_their_telegram(
    chat: Chat, waiting: Publication
) -> None:
    chat.write("/queue")
    chat.tap("✅ Approve")

    account = User.objects.get(username="telegram:7")
    assert decided_by(waiting) == ("approved", "telegram:7")
    assert (account.is_active, account.has_usable_password(), account.is_staff) == (False, False, False)


def test_an_administrator_with_an_account_decides_in_its_name(chat: Chat, waiting: Publication) -> None:
    link(person("publisher"))

    chat.write("/queue")
    chat.tap("❌ Reject")

    assert decided_by(waiting) == ("rejected", "publisher")


@pytest.mark.parametrize("label", ["✅ Approve", "❌ Reject"])
def test_an_account_that_may_not_approve_may_not_do_it_here_either(
    chat: Chat, waiting: Publication, label: str
) -> None:
    link(person("editor"))

    chat.write("/queue")
    toast = chat.tap(label)

    assert toast == "Your account in the newsroom may not do this."
    assert Publication.objects.get().state == State.PENDING


def test_an_account_that_was_closed_makes_its_administrator_a_stranger(chat: Chat, waiting: Publication) -> None:
    link(UserFactory.create(is_active=False, is_superuser=True))

    assert chat.write("/queue") == ""
    assert chat.send_tap(f"approve:{waiting.pk}:1:0", {"message_id": 1, "text": ""}) != ""
    assert Publication.objects.get().state == State.PENDING


@pytest.mark.parametrize("name", ["approve", "reject", "later", "at", "undo", "queue", "leaf", "show"])
def test_a_strangers_tap_changes_and_shows_nothing(chat: Chat, waiting: Publication, name: str) -> None:
    numbers = {"approve": 3, "reject": 3, "later": 3, "at": 4, "undo": 2, "queue": 1, "leaf": 1, "show": 2}[name]
    chat.write("/queue")
    chat.person = STRANGER

    toast = chat.send_tap(":".join([name, str(waiting.pk), *["1"] * (numbers - 1)]))

    assert toast == "This button is for the editors."
    assert Publication.objects.get().state == State.PENDING
    assert chat.api.stand_in(str(STRANGER)) == []


def test_an_older_revision_is_refused_and_the_new_one_shown(chat: Chat, waiting: Publication) -> None:
    chat.write("/queue")
    edit(waiting.pk, by=None, revision=1, title="Новый заголовок", text="Новый текст.")

    toast = chat.tap("✅ Approve")

    assert "Somebody has changed this publication" in toast
    assert Publication.objects.get().state == State.PENDING
    assert "Новый заголовок" in chat.newest["text"]
    chat.tap("✅ Approve")
    assert Publication.objects.get().state == State.APPROVED


def test_rejecting_an_older_revision_is_refused_too(chat: Chat, waiting: Publication) -> None:
    chat.write("/queue")
    edit(waiting.pk, by=None, revision=1, title="Новый заголовок", text="Новый текст.")

    assert "Somebody has changed" in chat.tap("❌ Reject")
    assert Publication.objects.get().state == State.PENDING


def test_a_second_tap_changes_nothing_and_is_told(chat: Chat, waiting: Publication) -> None:
    chat.write("/queue")
    button = chat.api.buttons(chat.newest)["✅ Approve"]
    first, second = chat.send_tap(button), chat.send_tap(button)

    assert (first, "can't be changed any more" in second) == ("", True)
    assert waiting.messages.count() == 1
    assert Publication.history.filter(history_change_reason="approved").count() == 1


def test_who_comes_second_sees_what_the_first_has_decided(chat: Chat, waiting: Publication) -> None:
    chat.write("/queue")
    reject(waiting.pk, by=None)

    toast = chat.tap("✅ Approve")

    assert "can't be changed any more" in toast
    assert "rejected" in chat.newest["text"]
    assert "✅ Approve" not in chat.buttons


def test_postponing_asks_until_when_and_schedules(chat: Chat, waiting: Publication) -> None:
    before = timezone.now()
    chat.write("/queue")
    chat.tap("🕒 Postpone")
    chat.tap("in 3 hours")

    waiting.refresh_from_db()
    assert waiting.state == State.APPROVED
    assert waiting.scheduled_for is not None
    assert timedelta(hours=2, minutes=59) < waiting.scheduled_for - before < timedelta(hours=3, minutes=1)
    assert waiting.messages.get().not_before == waiting.scheduled_for


def test_the_next_morning_is_the_channels(chat: Chat) -> None:
    waiting = PublicationFactory.create(channel=ChannelFactory.create(time_zone="Asia/Vladivostok"))
    chat.write("/queue")
    chat.tap("🕒 Postpone")
    chat.tap(next(label for label in chat.buttons if "09:00" in label))

    waiting.refresh_from_db()
    assert waiting.scheduled_for.astimezone(waiting.channel.zone).hour == 9


def test_one_may_come_back_from_postponing(chat: Chat, waiting: Publication) -> None:
    chat.write("/queue")
    before = chat.buttons
    chat.tap("🕒 Postpone")
    chat.tap("‹ Back")

    assert chat.buttons == before
    assert Publication.objects.get().state == State.PENDING


def test_a_moment_that_has_passed_does_not_send_it_now(chat: Chat, waiting: Publication) -> None:
    chat.write("/queue")
    past = int((timezone.now() - timedelta(minutes=1)).timestamp())

    assert chat.send_tap(f"at:{waiting.pk}:1:0:{past}") == "This time has passed already."
    assert Publication.objects.get().state == State.PENDING


@pytest.mark.parametrize("moment", [10**12, 10**17, 999_999_999_999_999_999])
def test_a_moment_beyond_all_calendars_is_refused(chat: Chat, waiting: Publication, moment: int) -> None:
    chat.write("/queue")

    assert chat.send_tap(f"at:{waiting.pk}:1:0:{moment}") == "This button no longer works."


def test_the_queue_is_leafed_through_in_one_message(chat: Chat) -> None:
    for number in range(3):
        PublicationFactory.create(title=f"Новость {number}")
    chat.write("/queue")
    first = chat.newest["text"]
    chat.tap("›")
    second = chat.newest["text"]
    chat.tap("‹")

    assert ("Новость 2" in first, "Новость 1" in second) == (True, True)
    assert chat.newest["text"] == first
    assert len(chat.api.ledger) == 1


def test_the_next_one_is_a_new_message_so_that_the_decision_stays_to_be_seen(chat: Chat) -> None:
    PublicationFactory.create(title="Вторая")
    PublicationFactory.create(title="Первая")
    chat.write("/queue")
    chat.tap("✅ Approve")
    chat.tap("Next ›")

    decided, shown = chat.api.texts
    assert ("Первая" in decided, "Вторая" in shown) == (True, True)


@pytest.mark.parametrize(
    "data", ["", "approve", "approve:1", "approve:1:1:1:1", "approve:x:1:0", "approve:-1:1:0", "approve:" + "9" * 60]
)
def test_a_button_that_is_none_of_ours_does_nothing(chat: Chat, waiting: Publication, data: str) -> None:
    chat.write("/queue")

    chat.send_tap(data)

    assert chat.api.called("answerCallbackQuery")[-1]["text"] == "This button no longer works."
    assert Publication.objects.get().state == State.PENDING


def test_a_publication_that_is_gone_is_told(chat: Chat) -> None:
    chat.write("/queue")

    assert chat.send_tap("approve:12345:1:0") == "This publication no longer exists."


def test_what_is_out_already_has_no_way_back(chat: Chat, waiting: Publication) -> None:
    approve(waiting.pk, by=None)
    delivery.deliver(waiting.channel_id)
    chat.write("/start")

    toast = chat.send_tap(f"undo:{waiting.pk}:0")

    assert "can't be changed any more" in toast
    assert "↩ Back to the queue" not in chat.buttons
