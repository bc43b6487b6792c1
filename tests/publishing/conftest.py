"""What most tests of publishing need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.fakes.bot_api import BotApi, bot_api
from tests.publishing.outbox import TOKEN


@pytest.fixture
def api(settings: Settings) -> Iterator[BotApi]:
    """A Telegram that knows our bot."""
    with bot_api() as server:
        settings.TELEGRAM_API_BASE_URL = server.url
        settings.TELEGRAM_TOKENS = {"TELEGRAM_BOT_TOKEN": TOKEN}
        yield server
