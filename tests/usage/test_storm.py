"""The ledger against the server's own count, under many writers, faults, a small budget and kill -9."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import connection

from tests.fakes.llm_server import LlmServer
from tests.usage.storm import TOKENS, WEATHER, discrepancies, storm
from usage.models import ApiUsageEvent, Provider

WORKERS, CALLS = 12, 120

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stormy(server: LlmServer, provider_of: Callable[..., Provider]) -> Provider:
    server.cycle(WEATHER)
    server.count(*TOKENS)
    return provider_of("one-key", "another-key", timeout_seconds=30, concurrency=64)


def test_the_ledger_is_what_the_server_counted(server: LlmServer, stormy: Provider) -> None:
    answered = storm(WORKERS, CALLS)

    assert list(discrepancies(server.book)) == []
    assert (server.book.requests, server.book.answered) == (CALLS, answered)
    assert sum(server.book.faults.values()) == CALLS * 0.3


def test_a_budget_holds_in_a_storm(server: LlmServer, stormy: Provider) -> None:
    Provider.objects.update(daily_budget=Decimal("0.05"), max_tokens_out=500)

    storm(WORKERS, CALLS)

    assert list(discrepancies(server.book)) == []
    assert 10 < server.book.requests < CALLS


def test_a_killed_process_leaves_a_true_ledger(server: LlmServer, stormy: Provider) -> None:
    server.wait(0.05)
    Provider.objects.update(daily_budget=Decimal("1"))
    environment = os.environ | {
        "TEST_DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "tests.usage.storm_settings",
        "STORM_URL": server.url,
    }
    command = [sys.executable, "-m", "tests.usage.storm", "6", "2000"]
    with subprocess.Popen(
        command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        while server.book.requests < 40:
            time.sleep(0.01)
        child.kill()
    server.wait_until_all_have_left()

    assert ApiUsageEvent.objects.filter(state=ApiUsageEvent.State.STARTED).exists()
    assert list(discrepancies(server.book)) == []


def database_url() -> str:
    """The database of this test, for a process of its own."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
