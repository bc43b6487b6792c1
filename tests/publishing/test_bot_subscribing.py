"""Subscribing in the bot: what people ask for, change, end, and how they are forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time

import pytest
from pytest_django import Settings

from publishing.models import BotUpdate, Channel, Delivery, Subscriber, Subscription
from publishing.subscriptions import people
from tests.factories import ChannelFactory
from tests.fakes.bot_api import Fault
from tests.publishing.chat import STRANGER, Chat, chat_with_bot
from tests.publishing.readers import digest_out, mail, news_out, topic

pytestmark = pytest.mark.django_db

Kind = Subscription.Kind


@pytest.fixture
def chat(settings: Settings) -> Iterator[Chat]:
    with chat_with_bot(settings) as made:
        made.person = STRANGER
        yield made


@pytest.fixture
def channel() -> Channel:
    made: Channel = ChannelFactory.create(name="Новости")
    return made


def wants() -> list[tuple[str, str]]:
    """What the stranger gets by now: kinds, and what of."""
    return [(one.kind, one.words or str(one.tag or one.channel)) for one in people.wanted_by(STRANGER)]


def test_a_digest_is_switched_on_and_off_by_its_button(chat: Chat, channel: Channel) -> None:
    chat.write("/subscribe")
    chat.tap("daily digest")
    on = wants()
    chat.tap("✅ daily digest")

    assert (on, wants()) == ([("daily", "Новости")], [])


def test_with_several_channels_the_person_chooses(chat: Chat, channel: Channel) -> None:
    ChannelFactory.create(name="Погода")
    chat.write("/subscribe daily")
    chat.tap("weekly digest · Погода")

    assert wants() == [("weekly", "Погода")]


def test_service_channels_are_not_offered(chat: Chat) -> None:
    ChannelFactory.create(carries_forecasts=True)
    chat.write("/subscribe")

    assert chat.buttons == ["Topics ›", "What I get"]


@pytest.mark.parametrize(
    ("words", "kind", "what"),
    [
        ("daily", Kind.DAILY, "Новости"),
        ("weekly", Kind.WEEKLY, "Новости"),
        ("порты", Kind.TOPIC, "Порты"),
        ('"порты"', Kind.WORDS, '"порты"'),
        ("Порт  Одесса", Kind.WORDS, "порт одесса"),
    ],
)
def test_what_is_written_after_the_command_is_subscribed_to(
    chat: Chat, channel: Channel, words: str, kind: Kind, what: str
) -> None:
    topic("Порты")
    chat.write(f"/subscribe {words}")
    chat.write(f"/subscribe {words}")

    assert wants() == [(kind, what)]


@pytest.mark.parametrize("words", ["и", "…", "-порт", "порт " * 40])
def test_what_can_not_be_looked_for_is_refused_with_a_sentence(chat: Chat, words: str) -> None:
    said = chat.write(f"/subscribe {words}")

    assert (wants(), said.startswith("That is too long") or "no word in that" in said) == ([], True)


def test_nobody_has_more_words_than_the_limit(chat: Chat) -> None:
    for number in range(people.MOST_WORDS):
        people.to_words(STRANGER, "en", f"слово {number}")

    said = chat.write("/subscribe ещё одно")

    assert (len(wants()), "10 of these" in said) == (people.MOST_WORDS, True)


def test_nobody_has_more_topics_than_the_limit(chat: Chat) -> None:
    for number in range(people.MOST_TOPICS):
        people.to_topic(STRANGER, "en", topic(f"Тема {number}"))
    chat.write("/settings")

    toast = chat.send_tap(f"sub_topic:{topic('Порты').pk}:0")

    assert (len(wants()), "10 of these" in toast) == (people.MOST_TOPICS, True)


def test_topics_are_offered_page_by_page(chat: Chat) -> None:
    for number in range(10):
        news_out(f"Порт {number}", tag=f"Тема {number}")
    chat.write("/subscribe")
    chat.tap("Topics ›")
    chat.tap("More ›")
    chat.tap("Тема 9")

    assert (wants(), chat.buttons) == ([("topic", "Тема 9")], ["Тема 8", "✅ Тема 9", "‹ Back"])


def test_unsubscribing_ends_what_is_named(chat: Chat, channel: Channel) -> None:
    chat.write("/subscribe daily")
    chat.write("/subscribe порт")
    chat.write("/unsubscribe порт")

    assert wants() == [("daily", "Новости")]


def test_unsubscribing_from_everything_leaves_nothing(chat: Chat, channel: Channel) -> None:
    chat.write("/subscribe daily")
    chat.write("/subscribe порт")
    chat.write("/unsubscribe")
    chat.tap("All of it")

    assert (wants(), Subscriber.objects.get().state) == ([], Subscriber.State.LEFT)


def test_what_is_on_its_way_does_not_come_after_unsubscribing(chat: Chat) -> None:
    out = digest_out()
    chat.write("/subscribe daily")
    Subscription.objects.update(created_at=out.created_at.replace(year=2020))
    chat.api.faults.append(Fault.FLOOD)
    mail()
    chat.write("/unsubscribe daily")

    assert [one.state for one in Delivery.objects.all()] == [Delivery.State.SKIPPED]


def test_the_time_of_day_is_chosen_by_button(chat: Chat) -> None:
    chat.write("/settings")
    chat.tap("Time of day")
    chat.tap("8 a.m." if "8 a.m." in chat.buttons else "08:00")

    assert (Subscriber.objects.get().send_at, "08:00" in chat.newest["text"]) == (time(8), True)


def test_a_digest_that_waits_comes_at_the_new_time(chat: Chat) -> None:
    out = digest_out()
    chat.write("/subscribe daily")
    Subscription.objects.update(created_at=out.created_at.replace(year=2020))
    chat.api.faults.append(Fault.FLOOD)
    mail()

    chat.send_tap("set_time:8")

    assert Delivery.objects.get().not_before.astimezone(out.channel.zone).hour == 8


def test_the_bot_speaks_the_language_that_is_chosen(chat: Chat) -> None:
    chat.write("/settings")
    chat.tap("Русский" if "Русский" in chat.buttons else chat.buttons[0])

    assert (Subscriber.objects.get().language, chat.buttons[0].startswith("✅")) == ("ru", True)


@pytest.mark.parametrize("data", ["set_language:99", "set_time:25", "sub_digest:9:0", "sub_digest:9:7", "sub_drop:9"])
def test_buttons_that_nobody_was_shown_do_nothing(chat: Chat, data: str) -> None:
    chat.write("/settings")
    chat.send_tap(data)

    assert (wants(), Subscriber.objects.count()) == ([], 0)


def test_nobody_ends_what_somebody_else_gets(chat: Chat) -> None:
    theirs = people.to_words(1, "en", "порт")
    chat.write("/unsubscribe")
    chat.send_tap(f"sub_drop:{theirs.pk}")

    assert Subscription.objects.count() == 1


def test_looking_around_leaves_no_trace(chat: Chat, channel: Channel) -> None:
    for text in ("/start", "/subscribe", "/unsubscribe", "/settings", "/delete_me"):
        chat.write(text)

    assert not Subscriber.objects.exists()


# --- being forgotten ------------------------------------------------------------------------------------------------


def test_being_forgotten_is_asked_once_and_then_complete(chat: Chat) -> None:
    out = digest_out()
    chat.write("/subscribe daily")
    Subscription.objects.update(created_at=out.created_at.replace(year=2020))
    mail()
    chat.write("/delete_me")
    chat.tap("🗑 Delete it")

    assert (Subscriber.objects.count(), Subscription.objects.count(), Delivery.objects.count()) == (0, 0, 0)
    assert {(row.person, row.payload == {}) for row in BotUpdate.objects.all()} == {(0, True)}


def test_somebody_may_think_better_of_being_forgotten(chat: Chat) -> None:
    chat.write("/subscribe порт")
    chat.write("/delete_me")
    chat.tap("Keep it")

    assert wants() == [("words", "порт")]


def test_an_update_that_comes_twice_does_not_bring_somebody_back(chat: Chat) -> None:
    chat.api.write_to_bot("/subscribe порт", STRANGER, "en")
    brought = list(chat.api.updates)
    chat.write("/start")
    chat.write("/delete_me")
    chat.tap("🗑 Delete it")
    chat.api.updates.extend(brought)
    chat.write("/start")

    assert not Subscriber.objects.exists()


def test_forgetting_one_person_leaves_the_others(chat: Chat) -> None:
    people.to_words(1, "en", "порт")
    chat.write("/subscribe порт")

    people.erase(STRANGER)

    assert [row.telegram_user_id for row in Subscriber.objects.all()] == [1]


def test_who_has_stopped_the_bot_and_comes_back_begins_anew(chat: Chat) -> None:
    chat.write("/subscribe порт")
    people.let_go(STRANGER)
    chat.write("/subscribe судно")

    assert (wants(), Subscriber.objects.get().state) == ([("words", "судно")], Subscriber.State.ACTIVE)
