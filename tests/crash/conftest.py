"""The fake Telegram, senders that can be killed, and the count of what their deaths have come to."""

from __future__ import annotations

import itertools
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
from tests.crash.sender import TIMEOUT, TOKEN
from tests.fakes.bot_api import BotApi, bot_api
from tests.publishing.outbox import wait_is_over

# `make crash-test` asks for many.
IS_LONG = "CRASH_KILLS" in os.environ
KILLS = int(os.environ.get("CRASH_KILLS", "24"))

AT_REST = (Message.State.SENT, Message.State.NEEDS_PERSON, Message.State.DEAD)

# Whole newsrooms are started there: only the long run has the time.
collect_ignore = [] if IS_LONG else ["test_losing_the_broker.py"]


def statements(step: int) -> Iterator[int]:
    """The numbers of the statements to die before: each in the long run, one of so many in the short one."""
    return itertools.count(1, 1 if IS_LONG else step)


# --- senders --------------------------------------------------------------------------------------------------------


@dataclass
class Sender:
    """A process that forks senders for each order."""

    process: subprocess.Popen[str]
    url: str = ""
    kills: int = 0
    orders: int = 0

    def begin(self, *channels: Channel, **order: Any) -> None:
        line = json.dumps({"url": self.url, "channels": [channel.pk for channel in channels]} | order)
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        self.orders += 1

    def end(self) -> int:
        """How the senders of the oldest order have ended: 0, or minus the number of a signal."""
        assert self.process.stdout is not None
        status = int(self.process.stdout.readline())
        self.orders -= 1
        assert status <= 0, "a sender has failed by itself"
        self.kills += status < 0
        return status

    def send(self, *channels: Channel, **order: Any) -> int:
        self.begin(*channels, **order)
        return self.end()


@pytest.fixture
def api(settings: Settings) -> Iterator[BotApi]:
    with bot_api() as server:
        settings.TELEGRAM_API_BASE_URL, settings.TELEGRAM_TIMEOUT = server.url, TIMEOUT
        settings.TELEGRAM_QUIET_SECONDS = 0
        settings.TELEGRAM_TOKENS = {"TELEGRAM_BOT_TOKEN": TOKEN}
        yield server


@pytest.fixture(scope="session")
def nursery(django_db_setup: None) -> Iterator[list[Sender]]:
    """The processes that fork senders: started when they are needed, and used by one test after another."""
    idle: list[Sender] = []
    yield idle
    for sender in idle:
        sender.process.communicate()


@pytest.fixture
def start(api: BotApi, nursery: list[Sender], transactional_db: None) -> Iterator[Callable[[], Sender]]:
    """Gives a process that forks senders."""
    busy: list[Sender] = []

    def take() -> Sender:
        sender = nursery.pop() if nursery else Sender(begin_process())
        sender.url, sender.kills = api.url, 0
        busy.append(sender)
        return sender

    yield take
    for sender in busy:
        while sender.orders:
            sender.end()
    nursery.extend(busy)


def begin_process() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.crash.sender", str(connection.settings_dict["NAME"])]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=django_settings.BASE_DIR
    )


# --- what it came to ------------------------------------------------------------------------------------------------


@dataclass
class Report:
    """What the deaths of one test came to."""

    kills: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)

    def come_to_rest(self, api: BotApi) -> None:
        """Let everything that may still happen by itself happen; then the promise must hold."""
        api.faults.clear()
        api.change_faults.clear()
        for _ in range(6):
            go_on()
            if not Message.objects.exclude(state__in=AT_REST).exists():
                break
        broken, states = oracle.judge(api)
        self.ended += states + Counter(breach.kind for breach in broken)
        assert not broken, "; ".join(map(str, broken))


def go_on() -> None:
    """One round of everything that a sweep rings for, as if all waiting were over."""
    wait_is_over()
    delivery.recover()
    bots.probe_due()
    for pk in reconciling.due().values_list("pk", flat=True):
        reconciling.reconcile(pk)
    for channel_id in delivery.due_channels():
        delivery.deliver(channel_id)


@pytest.fixture
def report(request: pytest.FixtureRequest, api: BotApi) -> Iterator[Report]:
    made = Report()
    yield made
    made.faults.update({fault.name: count for fault, count in api.befallen.items()})
    counts = {"kills": made.kills, "faults": dict(made.faults), "ended": dict(made.ended)}
    request.node.user_properties.append(("crash", counts))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """All counts of the run; a promise that was broken would stand among the ends, and its test has failed."""
    total = Report()
    for result in itertools.chain.from_iterable(terminalreporter.stats.values()):
        counts = dict(getattr(result, "user_properties", [])).get("crash")
        if counts and result.when == "teardown":
            total.kills += counts["kills"]
            total.faults.update(counts["faults"])
            total.ended.update(counts["ended"])
    breaches = ", ".join(f"{kind} {total.ended.pop(kind, 0)}" for kind in oracle.KINDS)
    ends = ", ".join(f"{state} {count}" for state, count in sorted(total.ended.items()))
    faults = ", ".join(f"{name.lower()} {count}" for name, count in sorted(total.faults.items()))
    terminalreporter.section("senders that were killed")
    terminalreporter.write_line(f"kills {total.kills}; faults {total.faults.total()} ({faults})")
    terminalreporter.write_line(f"messages {sum(total.ended.values())} ({ends}); {breaches}")
