"""Digests on an administrator's word: asked for, watched, and decided in the same message."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from publishing.bot import digests
from publishing.digests import building
from publishing.models import Digest, DigestWatch, Publication
from tests.factories import ArticleFactory, ChannelFactory
from tests.fakes.bot_api import Fault
from tests.publishing.chat import STRANGER, Chat, chat_with_bot

pytestmark = pytest.mark.django_db


@pytest.fixture
def chat(settings: Settings) -> Iterator[Chat]:
    settings.LLM_PROVIDERS = []
    with chat_with_bot(settings) as made:
        yield made


def news_of_yesterday() -> None:
    """A channel, and an article of yesterday from one of its sources."""
    article = ArticleFactory.create(published_at=timezone.now() - timedelta(days=1))
    ChannelFactory.create(name="Новости").sources.add(article.source)


def write_out() -> None:
    """Let workers take every step of the digest."""
    digest = Digest.objects.get()
    while building.take_step(digest.pk):
        digests.show_due()
    digests.show_due()


def test_a_digest_is_asked_for_and_its_message_tells_how_far_it_is(chat: Chat) -> None:
    news_of_yesterday()
    said = chat.write("/daily_digest")
    building.take_step(Digest.objects.get().pk)
    digests.show_due()

    assert "Choosing" in said
    assert "Written: 0 of 1 sections" in chat.newest["text"]


def test_what_is_written_is_approved_by_button(chat: Chat) -> None:
    news_of_yesterday()
    chat.write("/daily_digest")
    write_out()
    chat.tap("✅ Approve")

    assert Publication.objects.get().state == Publication.State.APPROVED
    assert (DigestWatch.objects.count(), len(chat.api.ledger)) == (0, 1)


def test_a_message_that_says_so_already_is_not_written_over(chat: Chat) -> None:
    news_of_yesterday()
    chat.write("/daily_digest")
    digests.show_due()
    before = len(chat.api.called("editMessageText"))

    digests.show_due()

    assert len(chat.api.called("editMessageText")) == before


def test_a_message_that_could_not_be_written_over_is_tried_again(chat: Chat) -> None:
    news_of_yesterday()
    chat.write("/daily_digest")
    building.take_step(Digest.objects.get().pk)
    chat.api.change_faults.append(Fault.DROP)
    first = digests.show_due()

    assert (first, digests.show_due()) == (0, 1)


def test_with_several_channels_the_administrator_chooses(chat: Chat) -> None:
    news_of_yesterday()
    ChannelFactory.create(name="Погода")
    chat.write("/weekly_digest 2026-11-18")
    chat.tap("Погода")

    digest = Digest.objects.get()
    assert (digest.channel.name, digest.period, digest.period_start) == ("Погода", "weekly", date(2026, 11, 16))


@pytest.mark.parametrize(
    ("command", "period"),
    [
        ("/daily_digest", "daily"),
        ("/weekly_digest", "weekly"),
        ("/monthly_digest", "monthly"),
        ("/annual_digest", "annual"),
    ],
)
def test_each_kind_has_its_command(chat: Chat, command: str, period: str) -> None:
    news_of_yesterday()
    chat.write(command)

    assert Digest.objects.get().period == period


@pytest.mark.parametrize("words", ["yesterday", "2026-13-01", "0001-01-01", "9999-12-31"])
def test_a_day_that_is_none_is_answered_with_a_sentence(chat: Chat, words: str) -> None:
    news_of_yesterday()

    assert "2026-11-21" in chat.write(f"/daily_digest {words}")


def test_a_period_ahead_is_refused_with_a_sentence(chat: Chat) -> None:
    news_of_yesterday()
    said = chat.write("/daily_digest 2999-01-01")

    assert (Digest.objects.count(), "not begun" in said) == (0, True)


@pytest.mark.parametrize("data", ["digest_make:9:1:0", "digest_make:0:999999:0", "digest_make:0:1:99999999"])
def test_buttons_that_nobody_was_shown_make_no_digest(chat: Chat, data: str) -> None:
    news_of_yesterday()
    chat.write("/start")
    chat.send_tap(data)

    assert not Digest.objects.exists()


def test_strangers_make_no_digests(chat: Chat) -> None:
    news_of_yesterday()
    chat.person = STRANGER

    assert (chat.write("/daily_digest"), Digest.objects.count()) == ("", 0)
