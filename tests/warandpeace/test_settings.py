"""A configuration that would be dangerous does not start, and says why in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pyrage import x25519

ROOT = Path(__file__).parents[2]
GOOD_KEY = "only-for-tests" * 4
SERVER = "postgres://nobody@127.0.0.1:1/none"
RECIPIENT = str(x25519.Identity.generate().to_public())


def check(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What `manage.py check` says with nothing but these variables set."""
    return subprocess.run(
        [sys.executable, "manage.py", "check", *options],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "VAR_DIR": str(folder), "ENV_FILE": os.devnull, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("key", ["", "short", "a" * 60, "django-insecure-" + GOOD_KEY])
def test_a_server_needs_a_secret_key_of_its_own(tmp_path, key):
    done = check(tmp_path, DATABASE_URL=SERVER, SECRET_KEY=key)

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Set SECRET_KEY to 50 random characters" in done.stderr


@pytest.mark.parametrize(
    "elsewhere", [{"DATABASE_URL": SERVER, "SECRET_KEY": GOOD_KEY}, {"ALLOWED_HOSTS": "news.example.org"}]
)
def test_detailed_error_pages_are_for_ones_own_machine_only(tmp_path, elsewhere):
    done = check(tmp_path, DEBUG="on", **elsewhere)

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Switch DEBUG off" in done.stderr


@pytest.mark.either_database
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELEGRAM_ADMIN_IDS", "@anna"),
        ("SECRET_KEY_FILE", "/nowhere"),
        ("TIME_ZONE", "Europe/Moskau"),
        ("LOG_LEVEL", "LOUD"),
        ("LLM_PRIMARY", "gemni"),
        ("DATABASE_URL", "mysql://localhost/news"),
        ("DATABASE_URL", "postgres://editor:se/cret@localhost/news"),
    ],
)
def test_what_cannot_be_read_is_named_in_one_sentence(tmp_path, name, value):
    done = check(tmp_path, **{"SECRET_KEY": GOOD_KEY} | {name: value})

    assert done.returncode == 1
    assert done.stderr.startswith("War and Peace does not start. ")
    assert name in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_developer_may_have_them(tmp_path):
    assert check(tmp_path, DEBUG="on").returncode == 0


def test_a_deployment_by_the_book_raises_no_warning(tmp_path):
    book = {"HTTPS_ONLY": "on", "ALLOWED_HOSTS": "news.example.org", "BACKUP_RECIPIENTS": RECIPIENT}

    done = check(tmp_path, "--deploy", "--fail-level", "WARNING", DATABASE_URL=SERVER, SECRET_KEY=GOOD_KEY, **book)

    assert done.returncode == 0, done.stderr
