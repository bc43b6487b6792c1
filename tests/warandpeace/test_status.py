from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command

from tests.factories import PublicationFactory
from warandpeace.models import Heartbeat

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
    assert output.splitlines()[-1] == "checks=4 wrong=0"


def test_what_is_wrong_comes_first_and_ends_with_one():
    code, output = status()

    assert code == 1
    assert output.splitlines()[0].split() == ["WRONG", "sweeper", "has", "never", "run"]


def test_the_figures_follow():
    PublicationFactory.create_batch(2)

    _code, output = status()

    assert "         2  publications[pending]" in output


def test_json_for_scripts():
    code, output = status("--json")

    report = json.loads(output)
    assert (code, report["ok"]) == (1, False)
    assert report["checks"]["sweeper"]["detail"] == "has never run"
    assert report["figures"]["dlq_size"] == 0
