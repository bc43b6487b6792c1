"""A Telegram that counts and answers 429 to whoever is too fast never has to: in a time of the test's own making."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone
from pytest_django import Settings

from publishing import delivery
from publishing.models import Message
from tests.fakes.bot_api import BotApi, Pace, bot_api
from tests.publishing.outbox import TOKEN, approved, telegram

pytestmark = pytest.mark.django_db(transaction=True)

# Between two sweeps, and how long all of it may take, in seconds.
SWEEP, LONGEST = 3, 180
BUSY, POSTS_OF_BUSY, QUIET = 2, 22, 35


@dataclass
class Clock:
    """Stands still but where somebody sleeps."""

    began: datetime = field(default_factory=timezone.now)
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.began + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        self.seconds += max(0.0, seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(timezone, "now", made.now)
    monkeypatch.setattr(delivery, "time", SimpleNamespace(sleep=made.sleep, monotonic=time.monotonic))
    return made


@pytest.fixture
def api(settings: Settings, clock: Clock) -> Iterator[BotApi]:
    settings.TELEGRAM_SECONDS_BETWEEN_MESSAGES = 1
    settings.TELEGRAM_MESSAGES_PER_MINUTE, settings.TELEGRAM_MESSAGES_PER_SECOND = 20, 30
    settings.TELEGRAM_TOKENS = {"TELEGRAM_BOT_TOKEN": TOKEN}
    with bot_api(pace=Pace(clock=lambda: clock.seconds)) as server:
        settings.TELEGRAM_API_BASE_URL = server.url
        yield server


def test_many_full_queues_are_sent_without_one_429(api: BotApi, clock: Clock) -> None:
    for number in range(BUSY + QUIET):
        channel = telegram(chat_id=f"@channel{number}", seconds_between_posts=0)
        for _ in range(POSTS_OF_BUSY if number < BUSY else 1):
            approved(channel)

    while clock.seconds < LONGEST and Message.objects.exclude(state=Message.State.SENT).exists():
        for channel_id in delivery.due_channels():
            delivery.deliver(channel_id)
        clock.sleep(SWEEP)

    assert api.pace is not None
    assert api.pace.refused == 0
    assert len(api.sent) == BUSY * POSTS_OF_BUSY + QUIET
    # No faster than a chat's twenty a minute, and hardly slower.
    assert 0 <= clock.seconds - (POSTS_OF_BUSY - 1) * 3 < 15
