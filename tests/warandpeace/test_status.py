from __future__ import annotations

import io
import json
import re
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from tests.factories import ArticleFactory, PublicationFactory, SourceFactory
from usage.models import Alert
from warandpeace.models import Backup, Heartbeat

pytestmark = pytest.mark.django_db


def status(*arguments: str) -> tuple[int, str]:
    """The exit status and what was printed."""
    out = io.StringIO()
    try:
        call_command("status", *arguments, stdout=out)
    except SystemExit as ending:
        return int(ending.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_a_working_newsroom_ends_with_zero():
    Heartbeat.beat("sweeper")

    code, output = status()

    assert code == 0
    assert output.splitlines()[-1] == "checks=6 wrong=0"


def test_what_is_wrong_comes_first_and_ends_with_one():
    code, output = status()

    assert code == 1
    assert output.splitlines()[0].split() == ["WRONG", "sweeper", "has", "never", "run"]


def test_the_figures_follow():
    PublicationFactory.create_batch(2)

    _code, output = status()

    assert "           2  Publications that are not out yet, by state: pending" in output


def test_figures_are_in_the_readers_units():
    ArticleFactory(published_at=timezone.now() - timedelta(hours=27, minutes=4))

    _code, output = status()

    assert "     1 d 3 h  Age of the newest article" in output


def test_of_many_figures_of_one_kind_the_greatest_are_shown():
    now = timezone.now()
    for hours in range(1, 8):
        SourceFactory(slug=f"source-{hours}", last_success_at=now - timedelta(hours=hours))

    _code, output = status()

    assert "source-7" in output
    assert "source-2" not in output
    assert "… and 2 more" in output


def test_an_open_alert_is_something_wrong():
    Heartbeat.beat("sweeper")
    Alert.sound("key_refused", "gemini:12345678", "The server refuses the key.")

    code, output = status()

    assert code == 1
    assert output.splitlines()[0].split() == ["WRONG", "alerts", "1", "key_refused"]


def test_backups_that_are_old_or_open_to_everybody_are_told():
    Backup.objects.create(name="old", state=Backup.State.VERIFIED, started_at=timezone.now() - timedelta(hours=40))

    code, output = status()

    assert code == 1
    assert re.search(r"WRONG +backups +40 h old, not encrypted: BACKUP_RECIPIENTS is empty", output)


def test_json_for_scripts():
    code, output = status("--json")

    report = json.loads(output)
    assert (code, report["ok"]) == (1, False)
    assert report["checks"]["sweeper"]["detail"] == "has never run"
    assert report["figures"]["dlq_size"] == 0
