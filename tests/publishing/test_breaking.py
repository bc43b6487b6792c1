"""Breaking news goes before others and, if an editor says so, through the night; corrections wake nobody."""

from __future__ import annotations

from datetime import time

import pytest

from publishing import approval, changing, delivery
from publishing.models import Channel, Message, Publication
from publishing.queueing import explain
from tests.factories import ChannelFactory, PublicationFactory
from tests.fakes.bot_api import BotApi
from tests.people import signed_in
from tests.publishing.outbox import approved, telegram, wait_is_over

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = "/admin/publishing/pendingpublication/"
ALL_DAY = {"quiet_from": time(0), "quiet_until": time(23, 59, 59)}


def titles(api: BotApi) -> list[str]:
    return [text.split("\n")[0] for text in api.texts]


def test_breaking_news_goes_before_what_was_approved_earlier(api: BotApi) -> None:
    channel = telegram()
    approved(channel, title="Обычная")
    urgent = PublicationFactory.create(channel=channel, title="Срочная")

    approval.break_news(urgent.pk, by=None)
    delivery.deliver(channel.pk)

    assert titles(api) == ["Срочная", "Обычная"]


def test_what_is_approved_already_may_become_breaking_news(api: BotApi) -> None:
    channel = telegram()
    approved(channel, title="Обычная")
    urgent = approved(channel, title="Срочная")

    approval.break_news(urgent.pk, by=None)
    delivery.deliver(channel.pk)

    assert titles(api) == ["Срочная", "Обычная"]


@pytest.mark.parametrize("even_in_quiet_hours", [True, False])
def test_it_goes_through_the_night_only_if_an_editor_says_so(even_in_quiet_hours: bool) -> None:
    channel = ChannelFactory.create(**ALL_DAY)
    approved(channel)
    urgent = PublicationFactory.create(channel=channel)

    approval.break_news(urgent.pk, by=None, even_in_quiet_hours=even_in_quiet_hours)

    assert delivery.due_channels() == [channel.pk] * even_in_quiet_hours
    assert delivery.deliver(channel.pk) == even_in_quiet_hours
    waiting = Publication.objects.filter(state=Publication.State.APPROVED)
    assert waiting.count() == 2 - even_in_quiet_hours


def test_the_queue_does_not_promise_the_morning_to_what_goes_through_the_night() -> None:
    channel = ChannelFactory.create(**ALL_DAY)
    quiet = explain(approved(channel))
    urgent = PublicationFactory.create(channel=channel)

    explanation = explain(approval.break_news(urgent.pk, by=None, even_in_quiet_hours=True))

    assert (quiet.tone, explanation.tone) == ("info", "success")


def test_what_is_withdrawn_is_no_breaking_news_any_more() -> None:
    urgent = approval.break_news(PublicationFactory.create().pk, by=None, even_in_quiet_hours=True)

    approval.withdraw(urgent.pk, by=None)

    urgent.refresh_from_db()
    assert (urgent.is_breaking, urgent.ignores_quiet_hours) == (False, False)


def test_the_button_in_the_queue_asks_about_the_night_and_sends() -> None:
    publisher, publication = signed_in("publisher"), PublicationFactory.create(channel__quiet_from=None)
    chosen = {"action": "break_selected", "index": 0, "_selected_action": publication.pk}

    question = publisher.post(QUEUE, chosen).content.decode()
    publisher.post(QUEUE, chosen | {"apply": 1, "even_in_quiet_hours": "on"})

    publication.refresh_from_db()
    assert "even_in_quiet_hours" in question
    assert (publication.is_breaking, publication.ignores_quiet_hours) == (True, True)
    assert publication.messages.get().priority == Publication.BREAKING


def test_a_correction_waits_neither_for_the_morning_nor_for_the_channels_pace() -> None:
    channel = ChannelFactory.create(seconds_between_posts=3600)
    publication = approved(channel)
    delivery.deliver(channel.pk)
    Channel.objects.update(**ALL_DAY)

    changing.delete(publication.pk, by=None, seen=0)

    assert delivery.due_channels() == [channel.pk]
    assert delivery.deliver(channel.pk) == 1


def test_a_correction_goes_before_news_and_after_breaking_news(api: BotApi) -> None:
    channel = telegram()
    publication = approved(channel, title="Старая")
    delivery.deliver(channel.pk)
    approved(channel, title="Обычная")
    approval.break_news(PublicationFactory.create(channel=channel, title="Срочная").pk, by=None)
    changing.delete(publication.pk, by=None, seen=0)
    wait_is_over()

    line = Message.objects.next_in_line().values_list("publication__title", flat=True)

    assert list(line) == ["Срочная", "Старая", "Обычная"]
