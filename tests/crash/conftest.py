"""The fake Telegram, and senders that can be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from pytest_django import Settings

from publishing import bots, delivery, reconciling
from publishing.models import Channel, Message
from tests.crash import oracle
from tests.crash.sender import TOKEN
from tests.fakes.bot_api import BotApi, bot_api
from tests.publishing.outbox import wait_is_over

# `make crash-test` asks for many.
AT_REST = (Message.State.SENT, Message.State.NEEDS_PERSON, Message.State.DEAD)
KILLS = int(os.environ.get("CRASH_KILLS", "40"))


@dataclass
class Sender:
    """A process that forks a sender for each order."""

    api: BotApi
    process: subprocess.Popen[str]
    kills: int = 0

    def begin(self, *channels: Channel, **order: Any) -> None:
        line = json.dumps({"url": self.api.url, "channels": [channel.pk for channel in channels]} | order)
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self) -> int:
        """How the sender of the oldest order has ended: 0, or minus the number of a signal."""
        assert self.process.stdout is not None
        status = int(self.process.stdout.readline())
        self.kills += status < 0
        return status

    def send(self, *channels: Channel, **order: Any) -> int:
        self.begin(*channels, **order)
        return self.end()


@pytest.fixture
def api(settings: Settings) -> Iterator[BotApi]:
    with bot_api() as server:
        settings.TELEGRAM_API_BASE_URL, settings.TELEGRAM_TIMEOUT = server.url, 2
        settings.TELEGRAM_QUIET_SECONDS = 0
        settings.TELEGRAM_TOKENS = {"TELEGRAM_BOT_TOKEN": TOKEN}
        yield server


@pytest.fixture
def start(api: BotApi, transactional_db: None) -> Iterator[Callable[[], Sender]]:
    """Starts a process that forks senders; they all end with the test."""
    processes: list[subprocess.Popen[str]] = []

    def make() -> Sender:
        command = [sys.executable, "-m", "tests.crash.sender", str(connection.settings_dict["NAME"])]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=django_settings.BASE_DIR
        )
        processes.append(process)
        return Sender(api, process)

    yield make
    for process in processes:
        process.communicate(timeout=60)


@dataclass
class Report:
    """What the kills of one test came to, printed at its end."""

    name: str
    kills: int = 0
    ended: Counter[str] = field(default_factory=Counter)


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Iterator[Report]:
    made = Report(request.node.name)
    yield made
    if path := os.environ.get("CRASH_REPORT"):
        with open(path, "a") as file:  # noqa: PTH123
            print(connection.vendor, made.name, f"kills={made.kills}", dict(made.ended), file=file)


def come_to_rest(api: BotApi) -> Counter[str]:
    """Let everything that may still happen by itself happen; then the promise must hold."""
    api.faults.clear()
    api.change_faults.clear()
    for _ in range(6):
        wait_is_over()
        delivery.recover()
        bots.probe_due()
        for pk in reconciling.due().values_list("pk", flat=True):
            reconciling.reconcile(pk)
        for channel_id in delivery.due_channels():
            delivery.deliver(channel_id)
        if not Message.objects.exclude(state__in=AT_REST).exists():
            break
    return oracle.check(api)
