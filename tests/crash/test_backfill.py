"""kill -9 during a backfill, again and again: each article is stored once, with its text, and no day is left half read.

`make test` loads a few hundred articles so; `make crash-test` 5,000.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.conf import settings
from django.db import connection

from articles.models import ArchiveDay, Article, BackfillRun
from tests.crash.conftest import IS_LONG
from tests.factories import SourceFactory
from tests.fakes.site_server import days_of_news, site_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(3600)]

DAYS, A_DAY = (200, 25) if IS_LONG else (10, 15)
KILLS = 25 if IS_LONG else 2
# Seconds that a run lives: from before its first statement to well into its work.
LONGEST_LIFE = 8.0 if IS_LONG else 4.0

Manage = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def manage() -> Manage:
    """Starts `manage.py` on the database of the tests."""
    database = connection.settings_dict
    url = f"sqlite:///{database['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = os.environ | {"TEST_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "manage.py", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=environment, text=True, stdout=pipe, stderr=pipe, cwd=settings.BASE_DIR)

    return start


def wait_for_run(process: subprocess.Popen[str]) -> None:
    """Until the first step has been written: before that there is nothing to resume."""
    while not BackfillRun.objects.filter(pages__gt=0).exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def test_killed_backfills_end_with_exactly_what_the_archive_has(manage: Manage) -> None:
    dice, last = random.Random(5), date(2024, 5, 20)  # noqa: S311
    first = last - timedelta(days=DAYS - 1)
    with site_server(days_of_news(last, DAYS, A_DAY)) as site:
        SourceFactory(**site.source(connections=4))
        process = manage("backfill", "--source", "warandpeace", "--from", str(first), "--to", str(last))
        wait_for_run(process)

        for _kill in range(KILLS):
            time.sleep(dice.uniform(0, LONGEST_LIFE))
            process.kill()
            process.communicate()
            process = manage("backfill", "--resume", str(BackfillRun.objects.get().pk))
        process.communicate()

    run = BackfillRun.objects.get()
    assert (run.state, run.created_count, run.text_count, run.failed_count) == ("done", DAYS * A_DAY, DAYS * A_DAY, 0)
    assert Article.objects.exclude(content="").count() == Article.objects.count() == DAYS * A_DAY
    assert set(ArchiveDay.objects.values_list("listed", "missing")) == {(A_DAY, 0)}
