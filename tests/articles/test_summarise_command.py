from __future__ import annotations

import os
import re
import signal
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from articles.management.commands.summarise import SUMMARIES
from articles.models import Article, Summary
from articles.summarise import awaiting_summary, summarise_article
from tests.articles.summaries import waiting
from tests.factories import SourceFactory
from usage.models import ApiUsageEvent, Provider

COMMAND = "articles.management.commands.summarise"
MOSCOW = ZoneInfo("Europe/Moscow")

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    """The last line of the command's output."""
    out = StringIO()
    call_command("summarise", *arguments, stdout=out)
    return out.getvalue().splitlines()[-1]


def test_all_that_awaits_a_summary_gets_one() -> None:
    waiting()
    waiting(status=Article.Status.STORED, next_step_at=None)
    waiting(status=Article.Status.SUMMARISED, next_step_at=None, summary_text="Есть.")
    waiting(status=Article.Status.FAILED, next_step_at=None)

    assert run() == "summarised=2 skipped=0 failed=0"

    assert run() == "summarised=0 skipped=0 failed=0"


def test_force_takes_what_has_a_summary_or_failed() -> None:
    waiting(status=Article.Status.SUMMARISED, next_step_at=None, summary_text="Есть.")
    waiting(status=Article.Status.FAILED, next_step_at=None)
    waiting(status=Article.Status.NEW)

    assert run("--force") == "summarised=2 skipped=0 failed=0"


def test_a_dry_run_changes_nothing() -> None:
    waiting()

    assert run("--dry-run") == "would_summarise=1 estimated_usd=0.00"

    assert not Summary.objects.exists()


def test_days_are_those_of_the_newsroom() -> None:
    for moment in ((2026, 11, 19, 23, 59), (2026, 11, 20, 0, 0), (2026, 11, 21, 23, 59), (2026, 11, 22, 0, 0)):
        waiting(published_at=datetime(*moment, tzinfo=MOSCOW))

    assert run("--from", "2026-11-20", "--to", "2026-11-21", "--dry-run") == "would_summarise=2 estimated_usd=0.00"


def test_one_source_can_be_named() -> None:
    waiting(source=SourceFactory.create(slug="port"))
    waiting()

    assert run("--source", "port") == "summarised=1 skipped=0 failed=0"


def test_a_limit_takes_the_newest() -> None:
    newest = waiting(published_at=timezone.now())
    waiting(published_at=timezone.now() - timedelta(hours=2))

    run("--limit", "1")

    assert Summary.objects.get().article == newest


def test_a_failure_shows_in_the_line_and_in_the_status() -> None:
    waiting(content="!!!")
    waiting()
    out = StringIO()

    with pytest.raises(CommandError, match="could not be summarised"):
        call_command("summarise", stdout=out)

    assert out.getvalue().endswith("summarised=1 skipped=0 failed=1\n")


def test_what_somebody_else_took_is_skipped() -> None:
    waiting()

    def taken_right_after(force: bool) -> Any:
        found = list(awaiting_summary(force).values_list("pk", flat=True))
        Article.objects.update(next_step_at=timezone.now() + timedelta(minutes=5))
        return Article.objects.filter(pk__in=found)

    with patch(f"{COMMAND}.SUMMARIES", replace(SUMMARIES, awaiting=taken_right_after)):
        assert run() == "summarised=0 skipped=1 failed=0"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_the_article_at_hand(number: signal.Signals) -> None:
    waiting(), waiting()
    out = StringIO()

    def stop_after(*args: Any, **options: Any) -> bool:
        os.kill(os.getpid(), number)
        return summarise_article(*args, **options)

    with (
        patch(f"{COMMAND}.summarise_article", stop_after),
        pytest.raises(CommandError, match="Run the command again"),
    ):
        call_command("summarise", stdout=out)

    assert out.getvalue().endswith("summarised=1 skipped=0 failed=0\n")
    assert run() == "summarised=1 skipped=0 failed=0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "22.11.2026"], "YYYY-MM-DD"),
        (["--from", "2026-11-22", "--to", "2026-11-21"], "--from is later"),
        (["--source", "nowhere"], "no source 'nowhere'"),
        (["--limit", "0"], "from 1 on"),
        (["--limit", "many"], "from 1 on"),
    ],
)
def test_a_wrong_option_says_what_to_do(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*arguments)


@pytest.fixture
def priced(db: None) -> Provider:
    return Provider.objects.create(
        name="paid", kind=Provider.Kind.OPENAI, base_url="http://127.0.0.1:1/v1", model="m", priority=1, price_in=1_000
    )


def test_the_price_is_told_before_it_is_paid(priced: Provider) -> None:
    waiting(content="Порт. " * 500), waiting(content="", lead="Порт вырос. " * 10)

    assert re.fullmatch(r"would_summarise=2 estimated_usd=[12]\.\d\d", run("--dry-run"))
    with pytest.raises(CommandError, match=r"2 articles ≈ \$[12]\.\d\d with paid. Add --yes"):
        run()

    assert not ApiUsageEvent.objects.exists()


def test_yes_goes_on_without_being_asked(priced: Provider) -> None:
    waiting()

    assert run("--yes") == "summarised=1 skipped=0 failed=0"

    assert list(ApiUsageEvent.objects.order_by("pk").values_list("provider", flat=True)) == ["paid", "extractive"]


@pytest.mark.parametrize(("answer", "is_done"), [("y\n", True), ("n\n", False)])
def test_whoever_sits_at_a_terminal_is_asked(
    answer: str, is_done: bool, priced: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting()
    terminal = StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)

    if is_done:
        assert run() == "summarised=1 skipped=0 failed=0"
    else:
        with pytest.raises(CommandError, match="Nothing was written"):
            run()


def test_a_provider_can_be_chosen() -> None:
    waiting()
    Provider.objects.create(name="second", kind=Provider.Kind.EXTRACTIVE, priority=2_000)

    run("--provider", "second")

    assert Summary.objects.get().provider == "second"


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(CommandError, match="no provider 'nobody'"):
        run("--provider", "nobody")
