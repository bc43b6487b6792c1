"""Administrators are told once, together, and not too often."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django import Settings

from publishing import alerts
from publishing.models import Bot
from tests.fakes.bot_api import BotApi, Fault, bot_api
from tests.publishing.outbox import TOKEN
from usage.models import Alert

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(settings: Settings) -> Iterator[BotApi]:
    with bot_api() as server:
        settings.TELEGRAM_API_BASE_URL = server.url
        settings.TELEGRAM_TOKENS, settings.TELEGRAM_ADMIN_IDS = {"TELEGRAM_BOT_TOKEN": TOKEN}, [7, 8]
        yield server


def test_what_comes_up_together_is_told_together(api: BotApi) -> None:
    for number in range(12):
        Alert.sound("post_unresolved", str(number), f"Беда {number}")

    told = alerts.tell()

    assert told == 2
    assert [post["chat_id"] for post in api.ledger] == ["7", "8"]
    assert "Беда 0" in api.texts[0]
    assert "Беда 11" not in api.texts[0]


def test_the_same_matter_is_told_once(api: BotApi) -> None:
    Alert.sound("telegram_silent", "TELEGRAM_BOT_TOKEN", "Telegram молчит")
    alerts.tell()
    Alert.objects.update(told_at=timezone.now() - timedelta(hours=1))
    Alert.sound("telegram_silent", "TELEGRAM_BOT_TOKEN", "Telegram молчит")

    assert alerts.tell() == 0


def test_a_minute_passes_between_two_messages(api: BotApi) -> None:
    Alert.sound("post_unresolved", "1", "Первая")
    alerts.tell()
    Alert.sound("post_unresolved", "2", "Вторая")

    assert alerts.tell() == 0

    Alert.objects.exclude(told_at=None).update(told_at=timezone.now() - timedelta(minutes=2))
    assert alerts.tell() == 2


def test_what_is_over_is_told_anew_when_it_comes_back(api: BotApi) -> None:
    Alert.sound("telegram_silent", "TELEGRAM_BOT_TOKEN", "Telegram молчит")
    alerts.tell()
    Alert.is_over("telegram_silent", "TELEGRAM_BOT_TOKEN")

    Alert.sound("telegram_silent", "TELEGRAM_BOT_TOKEN", "Telegram молчит")

    assert alerts.tell() == 2


def test_nobody_is_told_where_nobody_is_named(api: BotApi, settings: Settings) -> None:
    settings.TELEGRAM_ADMIN_IDS = []
    Alert.sound("telegram_silent", "TELEGRAM_BOT_TOKEN", "Telegram молчит")

    assert alerts.tell() == 0
    assert api.calls == []


def test_what_nobody_can_have_heard_is_told_once_telegram_is_back(api: BotApi, settings: Settings) -> None:
    Alert.sound("breaker", "a", "Telegram молчит")
    address, settings.TELEGRAM_API_BASE_URL = settings.TELEGRAM_API_BASE_URL, "http://127.0.0.1:1"
    in_vain, at_once = alerts.tell(), alerts.waiting()
    settings.TELEGRAM_API_BASE_URL = address
    cache.clear()

    assert (in_vain, at_once, alerts.tell()) == (0, False, 2)


def test_what_somebody_may_have_heard_is_not_told_again(api: BotApi) -> None:
    api.faults.extend([Fault.DROP, Fault.FORBIDDEN])
    Alert.sound("breaker", "a", "Telegram молчит")

    assert (alerts.tell(), alerts.waiting()) == (0, False)
    assert Alert.objects.untold().count() == 0


def test_nothing_is_told_while_telegram_wants_the_bot_to_wait(api: BotApi) -> None:
    Bot.objects.create(token_env="TELEGRAM_BOT_TOKEN", resumes_at=timezone.now() + timedelta(minutes=1))
    Alert.sound("breaker", "a", "Telegram молчит")

    assert (alerts.tell(), api.calls) == (0, [])
