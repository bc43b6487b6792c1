"""Reactions of readers: which counts are taken in, and where they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from publishing.bot import inbox, polling
from publishing.models import BotUpdate, Channel, Message, PostReactions, Publication
from publishing.reactions import in_words, together, totals
from tests.publishing.chat import Chat, chat_with_bot
from tests.publishing.outbox import telegram
from tests.publishing.readers import news_out

pytestmark = pytest.mark.django_db


@pytest.fixture
def chat(settings: Settings) -> Iterator[Chat]:
    with chat_with_bot(settings) as made:
        yield made


def post(**fields: Any) -> Publication:
    return news_out(channel=telegram(**fields))


def counted(publication: Publication, *, date: int = 1790000000, **more: Any) -> dict[str, Any]:
    """An update of the Bot API that tells how readers reacted to a publication's post."""
    reactions = [
        {"type": {"type": "emoji", "emoji": "👍"}, "total_count": 12},
        {"type": {"type": "custom_emoji", "custom_emoji_id": "5368"}, "total_count": 3},
    ]
    chat = {"id": -1001, "type": "channel", "username": "channel"}
    number = publication.messages.get().message_id
    told = {"chat": chat, "message_id": number, "date": date, "reactions": reactions} | more
    return {"update_id": date, "message_reaction_count": told}


def test_telegram_is_asked_for_reactions() -> None:
    assert "message_reaction_count" in polling.UPDATES


@pytest.mark.parametrize("chat_id", ["@channel", "@Channel", "-1001"])
def test_reactions_to_a_post_are_kept(chat: Chat, chat_id: str) -> None:
    publication = post(chat_id=chat_id)

    inbox.receive([counted(publication)])

    [counts] = totals([publication]).values()
    assert (in_words(counts), PostReactions.objects.get().total) == ("👍 12 · ★ 3", 15)


def test_an_update_with_reactions_needs_no_answer(chat: Chat) -> None:
    assert (inbox.receive([counted(post())]), BotUpdate.objects.count()) == ([], 0)


def test_later_counts_replace_earlier_ones_and_never_the_other_way(chat: Chat) -> None:
    publication = post()
    one = [{"type": {"type": "emoji", "emoji": "👍"}, "total_count": 1}]

    inbox.receive([counted(publication, date=1790000005, reactions=one), counted(publication, date=1790000001)])

    assert PostReactions.objects.get().total == 1


def test_reactions_in_chats_that_are_not_ours_are_passed_over(chat: Chat) -> None:
    publication = post(chat_id="@another")

    inbox.receive([counted(publication)])

    assert not PostReactions.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"reactions": None},
        {"date": 10**20},
        {"message_id": -1},
        {"message_id": 2**70},
        {"chat": {}},
        {"chat": {"id": "1"}},
    ],
)
def test_what_is_not_as_telegram_sends_it_is_passed_over(chat: Chat, wrong: dict[str, Any]) -> None:
    inbox.receive([counted(post(), **wrong)])

    assert not PostReactions.objects.exists()


@pytest.mark.parametrize("one", [None, {}, {"type": {"type": "emoji"}, "total_count": -4}, {"total_count": 2**80}])
def test_a_reaction_that_makes_no_sense_counts_nothing(chat: Chat, one: Any) -> None:
    inbox.receive([counted(post(), reactions=[one] * 500)])

    assert (PostReactions.objects.get().total, PostReactions.objects.get().counts) == (0, {})


def test_the_list_of_publications_shows_reactions(chat: Chat, admin_client: Client) -> None:
    inbox.receive([counted(post())])

    page = admin_client.get(reverse("admin:publishing_publication_changelist")).content.decode()

    assert "field-reactions" in page
    assert ">15<" in "".join(page.split())


def test_the_page_of_a_publication_shows_what_readers_reacted_with(chat: Chat, admin_client: Client) -> None:
    publication = post()
    inbox.receive([counted(publication)])

    page = admin_client.get(reverse("admin:publishing_publication_change", args=[publication.pk])).content.decode()

    assert "👍 12 · ★ 3" in page


def test_what_stayed_behind_has_none_of_the_new_chats_reactions(chat: Chat, admin_client: Client) -> None:
    old = post(chat_id="-1001")
    new = news_out(channel=old.channel)
    Message.objects.filter(publication=new).update(message_id=old.messages.get().message_id)
    moved = timezone.now()
    Channel.objects.update(moved_to="-1001", moved_at=moved)
    Message.objects.filter(publication=old).update(sent_at=moved - timedelta(days=1))
    Message.objects.filter(publication=new).update(sent_at=moved + timedelta(minutes=1))

    inbox.receive([counted(new, date=int(moved.timestamp()) + 120)])

    assert list(totals([old, new])) == [new.pk]
    assert dict(Publication.objects.annotate(all=together()).values_list("pk", "all")) == {old.pk: 0, new.pk: 15}
