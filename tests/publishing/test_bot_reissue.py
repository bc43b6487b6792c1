"""Posting again from the bot: chosen, looked at, confirmed, and done once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from publishing import changing, delivery
from publishing.approval import approve
from publishing.models import Publication, SandboxPost, TelegramEditor
from tests.factories import PublicationFactory
from tests.people import person
from tests.publishing.chat import ADMIN, Chat, chat_with_bot
from tests.publishing.outbox import wait_is_over

pytestmark = pytest.mark.django_db


@pytest.fixture
def chat(settings: Settings) -> Iterator[Chat]:
    with chat_with_bot(settings) as opened:
        yield opened


@pytest.fixture
def out() -> Publication:
    """A publication that stands in its channel."""
    publication = PublicationFactory.create(title="Порт & уголь")
    approve(publication.pk, by=None)
    delivery.deliver(publication.channel_id)
    return Publication.objects.get()


def test_where_nothing_has_gone_out_there_is_nothing_to_choose(chat: Chat) -> None:
    PublicationFactory.create()

    assert chat.write("/reissue") == "Nothing has been published yet."


def test_a_post_goes_out_again_after_a_question(chat: Chat, out: Publication) -> None:
    chat.write("/reissue")
    chat.tap("1")
    asked, before = chat.newest["text"], SandboxPost.objects.count()
    chat.tap("📣 Post it again")
    wait_is_over()
    delivery.deliver(out.channel_id)

    assert ("Порт & уголь" in asked, out.final_text in asked) == (True, True)
    assert (before, SandboxPost.objects.count()) == (1, 2)
    assert "telegram:7" in chat.newest["text"]


def test_confirming_twice_posts_once(chat: Chat, out: Publication) -> None:
    chat.write("/reissue")
    chat.tap("1")
    confirm = chat.api.buttons(chat.newest)["📣 Post it again"]
    chat.send_tap(confirm)
    while_it_goes_out = chat.send_tap(confirm)
    wait_is_over()
    delivery.deliver(out.channel_id)
    afterwards = chat.send_tap(confirm)

    assert "can't be posted again" in while_it_goes_out
    assert "Somebody has changed this publication" in afterwards
    assert SandboxPost.objects.count() == 2


def test_what_was_changed_since_it_was_looked_at_is_not_posted(chat: Chat, out: Publication) -> None:
    chat.write("/reissue")
    chat.tap("1")
    changing.delete(out.pk, by=None, seen=0)
    wait_is_over()
    delivery.deliver(out.channel_id)

    assert "Somebody has changed this publication" in chat.tap("📣 Post it again")
    assert SandboxPost.objects.count() <= 1


def test_one_may_think_better_of_it(chat: Chat, out: Publication) -> None:
    chat.write("/reissue")
    choice = chat.newest["text"]
    chat.tap("1")
    chat.tap("‹ Back")

    assert chat.newest["text"] == choice
    assert Publication.objects.get().state == Publication.State.PUBLISHED


def test_who_may_not_approve_may_not_post_again(chat: Chat, out: Publication) -> None:
    TelegramEditor.objects.create(telegram_user_id=ADMIN, user=person("editor"))
    chat.write("/reissue")
    chat.tap("1")

    assert chat.tap("📣 Post it again") == "Your account in the newsroom may not do this."
    assert Publication.objects.get().state == Publication.State.PUBLISHED
