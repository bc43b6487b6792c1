"""A backup counts only when it was restored and found equal; whatever goes wrong is told, and leaves nothing."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.utils import timezone

from articles.models import Article
from tests.backups.conftest import said, taken
from usage.models import Alert
from warandpeace.backups import shelf as shelves
from warandpeace.backups.engines import configured
from warandpeace.backups.manifest import read
from warandpeace.backups.models import Backup
from warandpeace.backups.proof import TableProof

ROOT = Path(__file__).parents[2]

# Makes a backup, and never comes to the end of comparing what was restored.
COMPARING = """
import time
import django

django.setup()

from django.core.management import call_command
from warandpeace.backups import making

def compare(*_proofs):
    print("comparing", flush=True)
    time.sleep(600)

making.differences = compare
call_command("backup", verbosity=0)
"""


def test_a_backup_is_verified_and_appears(newsroom: str, shelf: Path) -> None:
    text = said("backup")

    manifest = read(taken(shelf))
    assert "Verified" in text
    assert manifest.tables["articles_article"].rows == Article.objects.count()
    assert Backup.objects.get().state == Backup.State.VERIFIED
    assert taken(shelf).stat().st_mode & 0o077 == 0


def test_one_that_restores_to_something_else_is_thrown_away_and_told(
    newsroom: str, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type(configured())
    monkeypatch.setattr(kind, "proof", lambda engine: {"articles_article": TableProof(1, "0" * 64)})

    with pytest.raises(CommandError, match="not what was backed up"):
        said("backup")

    assert list(shelf.glob("*[0-9]*")) == []
    assert Backup.objects.get().state == Backup.State.FAILED
    assert Alert.objects.open().filter(code="backup_failed").exists()


def test_the_alert_is_over_with_the_next_good_one(newsroom: str) -> None:
    Alert.sound("backup_failed", "database", "the disk is full")

    said("backup")

    assert not Alert.objects.open().filter(code="backup_failed").exists()


def test_a_second_one_at_the_same_time_is_refused(newsroom: str, shelf: Path) -> None:
    shelf.mkdir()

    with (shelf / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CommandError, match="at work"):
            said("backup")

    assert not Backup.objects.exists()


def test_without_room_nothing_is_begun(newsroom: str, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "RESERVE", 1 << 60)

    with pytest.raises(CommandError, match="make room"):
        said("backup")

    assert list(shelf.glob("*[0-9]*")) == []
    assert Alert.objects.open().filter(code="backup_failed").exists()


def test_it_is_due_again_as_soon_as_there_is_room(newsroom: str, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as full, pytest.raises(CommandError):
        full.setattr(shelves, "RESERVE", 1 << 60)
        said("backup")

    assert "Verified" in said("backup", "--if-due")
    assert not Alert.objects.open().filter(code="backup_failed").exists()


def test_a_missing_program_is_named(newsroom: str, settings: Any, tmp_path: Path) -> None:
    if configured().kind == "sqlite":
        assert said("backup")
        return
    settings.POSTGRES_BINARIES = str(tmp_path)

    with pytest.raises(CommandError, match="install PostgreSQL's client programs"):
        said("backup")


def test_a_killed_one_never_counts_and_is_cleaned_up(newsroom: str, shelf: Path, settings: Any) -> None:
    environment = {"DATABASE_URL": newsroom, "BACKUP_DIR": str(shelf), "VAR_DIR": str(shelf.parent)}
    environment |= {"DJANGO_SETTINGS_MODULE": "warandpeace.settings"}
    environment |= {"SECRET_KEY": "only-for-tests" * 4, "ENV_FILE": os.devnull}
    environment |= {"POSTGRES_BINARIES": settings.POSTGRES_BINARIES}
    command = [sys.executable, "-c", COMPARING]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE) as process:
        assert process.stdout and b"comparing\n" in process.stdout
        process.kill()

    unfinished = list(shelf.glob(".2*"))
    said("backup")

    assert unfinished and not list(shelf.glob(".2*"))
    assert list(Backup.objects.order_by("pk").values_list("state", flat=True)) == ["interrupted", "verified"]
    assert len(shelves.backups()) == 1


def test_the_newest_verified_stay_whatever_their_age(backup: Path, settings: Any) -> None:
    settings.BACKUP_KEEP, settings.BACKUP_KEEP_DAYS = 3, 1
    for days in (10, 20, 30):
        older(backup, days)
    older(backup, 5).joinpath(read(backup).payload).write_bytes(b"cut off")

    said("backup")

    assert [len(shelves.backups()), sum(not kept.trouble for kept in shelves.backups())] == [4, 3]


def older(backup: Path, days: int) -> Path:
    """A copy of a backup, as if it had been made so many days ago."""
    manifest = read(backup)
    made = manifest.created_at - timedelta(days=days)
    folder = shutil.copytree(backup, backup.with_name(f"{made:%Y%m%d-%H%M%S}"))
    replace(manifest, name=folder.name, created_at=made).write(folder)
    return folder


def test_one_is_due_when_the_last_verified_is_old(newsroom: str) -> None:
    now = timezone.now()

    due = [Backup.is_due(now)]
    Backup.objects.create(name="a", state=Backup.State.VERIFIED, started_at=now - timedelta(hours=25))
    due += [Backup.is_due(now), Backup.is_due(now - timedelta(hours=2))]
    Backup.objects.create(name="b", state=Backup.State.FAILED, started_at=now - timedelta(minutes=30))
    due += [Backup.is_due(now), Backup.is_due(now + timedelta(hours=1))]

    assert due == [True, True, False, False, True]
