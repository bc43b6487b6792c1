from __future__ import annotations

import os
import signal
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from articles.models import Article, Summary
from articles.summarise import awaiting_summary, summarise_article
from tests.articles.test_summarise import waiting
from tests.factories import SourceFactory

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

    with patch(f"{COMMAND}.awaiting_summary", taken_right_after):
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
