"""Forecast notes through the door and over HTTP: what a server is asked and paid, and what a kill leaves behind."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from articles.forecasts import writing
from articles.models import ForecastNote
from tests.articles.notes import note
from tests.articles.test_forecast import planned
from tests.factories import ArticleFactory
from tests.fakes.llm_server import Fault, LlmServer
from usage.models import ApiUsageEvent, Provider, PurposeBudget

WORKERS = 4
PATIENCE = 120.0  # seconds


@pytest.fixture
def llm_server() -> Iterator[LlmServer]:
    with LlmServer() as running:
        running.say(json.dumps(note(), ensure_ascii=False))
        yield running


def paid(server: LlmServer) -> Provider:
    return Provider.objects.create(
        name="paid", kind=Provider.Kind.OPENAI, base_url=server.url, model="m", priority=1, price_in=1, price_out=2
    )


@pytest.mark.django_db
def test_a_server_is_asked_for_a_note_and_paid_once(llm_server: LlmServer) -> None:
    paid(llm_server)

    assert writing.write_note(planned().pk)

    written = ForecastNote.objects.get()
    assert (written.data, written.provider) == (note(), "paid")
    assert llm_server.requests[0].body["response_format"]["json_schema"]["name"] == "forecast_note"
    assert written.usage_event is not None
    assert (written.usage_event.purpose, written.usage_event.cost_usd) == ("forecast", Decimal("0.002"))
    assert llm_server.book.requests == 1


@pytest.mark.django_db
def test_a_server_without_schemas_answers_in_a_block_of_code(llm_server: LlmServer) -> None:
    paid(llm_server)
    llm_server.will(Fault.NO_SCHEMA)
    llm_server.say(f"```json\n{json.dumps(note())}\n```")

    assert writing.write_note(planned().pk)

    assert "additionalProperties" in llm_server.requests[1].body["messages"][0]["content"]


@pytest.mark.django_db
def test_a_budget_of_its_own_keeps_it_from_being_asked(llm_server: LlmServer) -> None:
    PurposeBudget.objects.create(provider=paid(llm_server), purpose="forecast", daily_budget=Decimal("0.0001"))

    assert not writing.write_note(planned().pk)

    assert ForecastNote.objects.get().status == ForecastNote.Status.SKIPPED
    assert llm_server.book.requests == 0


def write_in_thread(note_id: int) -> bool:
    try:
        return writing.write_note(note_id)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_many_workers_pay_once(llm_server: LlmServer) -> None:
    paid(llm_server)
    llm_server.wait(0.2)
    waiting = planned()

    with ThreadPoolExecutor(WORKERS) as pool:
        done = list(pool.map(write_in_thread, [waiting.pk] * WORKERS))

    assert sorted(done) == [False] * (WORKERS - 1) + [True]
    assert llm_server.book.requests == 1


def until(happened: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.django_db(transaction=True)
def test_a_kill_in_the_middle_leaves_a_row_that_is_taken_up_again(
    llm_server: LlmServer, manage: Callable[..., subprocess.Popen[str]]
) -> None:
    paid(llm_server)
    article = ArticleFactory.create()
    llm_server.wait(PATIENCE)
    process = manage("summarise", "--forecast", "--yes")
    until(lambda: llm_server.requests)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    llm_server.wait(0)

    left = ForecastNote.objects.get(article=article)
    assert (left.status, left.attempts) == (ForecastNote.Status.WAITING, 1)
    assert not writing.write_note(left.pk)
    ForecastNote.objects.update(next_step_at=timezone.now())
    assert writing.write_note(left.pk)

    assert sorted(ApiUsageEvent.objects.values_list("state", flat=True)) == ["started", "succeeded"]
