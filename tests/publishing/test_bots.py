"""What processes that share a bot tell each other: how long to wait, that it is down, that its token is dead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest import MonkeyPatch
from pytest_django import Settings

from publishing import bots, clocks, delivery
from publishing.models import Bot, Channel, Message
from publishing.models.bot import FAILURES_UNTIL_BROKEN
from tests.fakes.bot_api import BotApi, Fault, bot_api
from tests.people import person
from tests.publishing.outbox import TOKEN, approved, telegram, wait_is_over
from usage.models import Alert

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def api(settings: Settings) -> Iterator[BotApi]:
    with bot_api() as server:
        settings.TELEGRAM_API_BASE_URL, settings.TELEGRAM_TIMEOUT = server.url, 20
        settings.TELEGRAM_TOKENS = {"TELEGRAM_BOT_TOKEN": TOKEN}
        yield server


def break_down(settings: Settings) -> list[Channel]:
    """Three channels whose calls never reached Telegram."""
    url, settings.TELEGRAM_API_BASE_URL = settings.TELEGRAM_API_BASE_URL, "http://127.0.0.1:1"
    channels = [telegram(chat_id=f"@channel{number}") for number in range(3)]
    for channel in channels:
        approved(channel)
        delivery.deliver(channel.pk)
    settings.TELEGRAM_API_BASE_URL = url
    return channels


def test_telegrams_wish_to_wait_stands_in_the_bots_row(api: BotApi) -> None:
    api.faults.append(Fault.FLOOD)
    publication, before = approved(telegram()), timezone.now()

    delivery.deliver(publication.channel_id)

    assert Bot.objects.get().resumes_at >= before + timedelta(seconds=7)


def test_a_channel_made_later_waits_too(api: BotApi) -> None:
    api.faults.append(Fault.FLOOD)
    delivery.deliver(approved(telegram()).channel_id)

    sent = delivery.deliver(approved(telegram(chat_id="@another")).channel_id)

    assert sent == 0


def test_a_dead_token_pauses_the_bot_and_keeps_the_posts(api: BotApi) -> None:
    api.faults.append(Fault.UNAUTHORIZED)
    publication, other = approved(telegram()), approved(telegram(chat_id="@another"))

    delivery.deliver(publication.channel_id)
    delivery.deliver(other.channel_id)

    assert Bot.objects.get().is_paused
    assert set(Message.objects.values_list("state", flat=True)) == {Message.State.READY}
    assert Alert.objects.open().filter(code="bot_paused").exists()


def test_a_resumed_bot_sends_again(api: BotApi) -> None:
    api.faults.append(Fault.UNAUTHORIZED)
    publication = approved(telegram())
    delivery.deliver(publication.channel_id)
    wait_is_over()

    bots.resume(Bot.objects.get())

    assert delivery.deliver(publication.channel_id) == 1
    assert not Alert.objects.open().exists()


def test_three_silences_open_the_breaker(api: BotApi, settings: Settings) -> None:
    channels = break_down(settings)
    wait_is_over()

    sent = [delivery.deliver(channel.pk) for channel in channels]

    assert sent == [0, 0, 0]
    assert api.calls == []
    assert Alert.objects.open().filter(code="telegram_silent").exists()


def test_the_probe_is_get_me_and_closes_the_breaker(api: BotApi, settings: Settings) -> None:
    channels = break_down(settings)
    wait_is_over()

    answering = bots.probe_due()
    wait_is_over()
    sent = [delivery.deliver(channel.pk) for channel in channels]

    assert (answering, sent) == (1, [1, 1, 1])
    assert api.calls[0][0] == "getMe"
    assert Bot.objects.get().username == "warandpeace_bot"


def test_a_failed_probe_is_repeated_later(api: BotApi, settings: Settings) -> None:
    break_down(settings)
    wait_is_over()
    settings.TELEGRAM_API_BASE_URL = "http://127.0.0.1:1"

    assert bots.probe_due() == 0
    assert not Bot.objects.to_be_probed(timezone.now()).exists()
    assert Bot.objects.get().is_broken


def test_calls_of_a_bot_are_as_far_apart_as_its_limit_asks(settings: Settings) -> None:
    settings.TELEGRAM_MESSAGES_PER_SECOND = 10
    now = timezone.now()

    booked = [Bot.book("TELEGRAM_BOT_TOKEN", now) for _ in range(3)]

    assert booked == [now, now + timedelta(seconds=0.1), now + timedelta(seconds=0.2)]


def test_who_has_seen_an_older_moment_books_the_next_one_all_the_same(settings: Settings) -> None:
    settings.TELEGRAM_MESSAGES_PER_SECOND = 10
    now = timezone.now()
    Bot.objects.create(token_env="TELEGRAM_BOT_TOKEN", next_call_at=now, resumes_at=now)

    booked = [Bot.book("TELEGRAM_BOT_TOKEN", now, seen=now) for _ in range(2)]

    assert booked == [now, now + timedelta(seconds=0.1)]


def test_nobody_books_far_ahead(settings: Settings) -> None:
    settings.TELEGRAM_MESSAGES_PER_SECOND = 1
    now = timezone.now()

    booked = [Bot.book("TELEGRAM_BOT_TOKEN", now) for _ in range(4)]

    assert booked[-1] is None


@pytest.mark.parametrize(("own", "a_minute", "pace"), [(0, 20, 3), (10, 20, 10), (0, 600, 1)])
def test_no_channel_is_faster_than_telegram_allows(settings: Settings, own: int, a_minute: int, pace: int) -> None:
    settings.TELEGRAM_SECONDS_BETWEEN_MESSAGES, settings.TELEGRAM_MESSAGES_PER_MINUTE = 1, a_minute

    assert telegram(seconds_between_posts=own).pace == timedelta(seconds=pace)


def test_a_chat_that_moves_a_second_time_pauses_its_channel(api: BotApi) -> None:
    api.faults.extend([Fault.MIGRATED, Fault.MIGRATED])
    publication = approved(telegram())

    for _ in range(2):
        delivery.deliver(publication.channel_id)
        wait_is_over()

    assert Channel.objects.get().is_paused
    assert api.ledger == []


def test_an_operator_resumes_a_bot_in_the_admin(client: Client) -> None:
    bot = Bot.objects.create(token_env="TELEGRAM_BOT_TOKEN", is_paused=True, pause_reason="401")
    client.force_login(person("operator"))
    chosen = {"action": "resume_selected", "_selected_action": str(bot.pk)}

    client.post(reverse("admin:publishing_bot_changelist"), chosen)

    bot.refresh_from_db()
    assert not bot.is_paused
    assert bot.history.first().history_user.groups.get().name == "operator"


def test_what_telegram_asked_for_lasts_no_longer_because_a_clock_was_wrong(monkeypatch: MonkeyPatch) -> None:
    Bot.objects.create(token_env="TELEGRAM_BOT_TOKEN")
    later = timezone.now() + timedelta(hours=1)
    with monkeypatch.context() as ahead:
        ahead.setattr(timezone, "now", lambda: later)
        bots.wait("TELEGRAM_BOT_TOKEN", timedelta(minutes=2))

    clocks.mend()

    wait = Bot.objects.get().resumes_at - timezone.now()
    assert timedelta(minutes=1) < wait <= timedelta(minutes=2)


def test_a_clock_that_was_wrong_does_not_put_off_a_probe() -> None:
    Bot.objects.create(
        token_env="TELEGRAM_BOT_TOKEN",
        failures=FAILURES_UNTIL_BROKEN,
        resumes_at=timezone.now() + timedelta(hours=1),
    )

    clocks.mend()

    assert Bot.objects.to_be_probed(timezone.now()).exists()


def test_what_telegram_asks_for_by_a_clock_that_is_right_stays() -> None:
    Bot.objects.create(token_env="TELEGRAM_BOT_TOKEN")
    bots.wait("TELEGRAM_BOT_TOKEN", timedelta(hours=1))

    clocks.mend()

    assert Bot.objects.get().resumes_at > timezone.now() + timedelta(minutes=59)
