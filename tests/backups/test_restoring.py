"""What was backed up comes back whole, held, and beside what was there; anything doubtful is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pyrage
import pytest
from django.core.management.base import CommandError
from django.db import connection

from articles.models import Article
from publishing.models import Channel, Publication
from tests.backups.conftest import said, taken
from warandpeace.backups.engines import configured, engine_of
from warandpeace.backups.manifest import read
from warandpeace.backups.standing_in import standing_in
from warandpeace.databases import configuration
from warandpeace.models import Backup

HELD = Publication.State.HELD


def test_another_database_gets_every_row_and_holds_what_is_unsent(backup: Path, elsewhere: str) -> None:
    titles = list(Article.objects.order_by("pk").values_list("pk", "title", "content_hash"))

    said("restore", "latest", "--to", elsewhere)

    assert not Publication.objects.filter(state=HELD).exists()
    with standing_in(configuration(elsewhere)):
        assert list(Article.objects.order_by("pk").values_list("pk", "title", "content_hash")) == titles
        assert set(Publication.objects.values_list("state", flat=True)) == {HELD}
        assert not Channel.objects.filter(is_paused=False).exists()
        assert set(Backup.objects.values_list("state", flat=True)) == {Backup.State.INTERRUPTED}
    engine_of(configuration(elsewhere)).drop()


def test_a_database_that_is_not_empty_is_left_alone(backup: Path, newsroom: str) -> None:
    with pytest.raises(CommandError, match="not empty"):
        said("restore", "latest", "--to", newsroom)


def test_the_configured_one_is_replaced_and_kept_aside(backup: Path) -> None:
    count = Article.objects.count()
    Article.objects.filter(publications=None).delete()
    connection.close()

    text = said("restore", "latest", "--overwrite", "--yes-i-mean", configured().name)

    assert Article.objects.count() == count
    assert set(Publication.objects.values_list("state", flat=True)) == {HELD}
    kept = next(line for line in text.splitlines() if "kept as" in line).split("kept as ")[1].split(";")[0]
    with standing_in(connection.settings_dict | {"NAME": kept}):
        assert Article.objects.count() < count
    engine_of(connection.settings_dict | {"NAME": kept}).drop()


@pytest.mark.parametrize("arguments", [[], ["--overwrite"], ["--overwrite", "--yes-i-mean", "another"]])
def test_nothing_is_replaced_unless_it_is_said_twice(backup: Path, arguments: list[str]) -> None:
    with pytest.raises(CommandError, match=r"--to URL|--yes-i-mean"):
        said("restore", "latest", *arguments)


def test_nothing_is_replaced_while_somebody_is_connected(backup: Path, newsroom: str) -> None:
    Article.objects.count()
    other = another_connection(newsroom)

    with pytest.raises(CommandError, match=r"connected|works with"):
        said("restore", "latest", "--overwrite", "--yes-i-mean", configured().name)

    other.close()
    assert Publication.objects.exclude(state=HELD).exists()


def another_connection(url: str) -> Any:
    if url.startswith("postgres"):
        return psycopg.connect(url)
    other = connection.copy("other")
    other.cursor().execute("SELECT 1 FROM articles_article").fetchone()
    return other


def cut(backup: Path) -> None:
    path = backup / read(backup).payload
    path.write_bytes(path.read_bytes()[:-1000])


def flip(backup: Path) -> None:
    path = backup / read(backup).payload
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def change_counts(backup: Path) -> None:
    body = json.loads((backup / "manifest.json").read_text())
    body["tables"]["articles_article"]["rows"] = 1
    (backup / "manifest.json").write_text(json.dumps(body))


def leave_half(backup: Path) -> None:
    (backup / "manifest.json").unlink()


def from_newer_program(backup: Path) -> None:
    manifest = read(backup)
    replace(manifest, migrations={**manifest.migrations, "articles": ["9999_from_tomorrow"]}).write(backup)


def from_newer_server(backup: Path) -> None:
    replace(read(backup), server_version=99).write(backup)


def from_other_engine(backup: Path) -> None:
    replace(read(backup), engine="oracle").write(backup)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (cut, "is cut off"),
        (flip, "its checksum is wrong"),
        (change_counts, "changed after it was written"),
        (leave_half, "never finished"),
        (from_newer_program, "newer version of this program"),
        (from_newer_server, "the server is"),
        (from_other_engine, "manage.py transfer"),
    ],
)
def test_what_is_not_as_it_was_written_or_not_for_here_is_refused(
    backup: Path, elsewhere: str, harm: Callable[[Path], None], sentence: str
) -> None:
    harm(backup)

    for arguments in (["--dry-run"], ["--to", elsewhere]):
        with pytest.raises(CommandError, match=sentence):
            said("restore", str(backup), *arguments)

    assert not engine_of(configuration(elsewhere)).is_in_use()


def test_a_half_written_or_unknown_one_is_refused(backup: Path) -> None:
    hidden = backup.rename(backup.with_name(f".{backup.name}"))

    with pytest.raises(CommandError, match="half-written"):
        said("restore", hidden.name, "--dry-run")
    with pytest.raises(CommandError, match="There is no backup"):
        said("restore", "yesterday", "--dry-run")
    with pytest.raises(CommandError, match="no sound backup"):
        said("restore", "latest", "--dry-run")


@pytest.fixture
def key(tmp_path: Path, settings: Any) -> Path:
    """A private key in a file, whose public one every backup is encrypted to."""
    identity = pyrage.x25519.Identity.generate()
    settings.BACKUP_RECIPIENTS = [str(identity.to_public())]
    (tmp_path / "key.txt").write_text(f"# created: today\n{identity}\n")
    return tmp_path / "key.txt"


def test_an_encrypted_one_is_read_with_its_key_alone(key: Path, newsroom: str, shelf: Path, tmp_path: Path) -> None:
    said("backup")
    (tmp_path / "wrong.txt").write_text(str(pyrage.x25519.Identity.generate()))

    assert (taken(shelf) / read(taken(shelf)).payload).read_bytes().startswith(b"age-encryption.org/v1")
    assert "can be restored" in said("restore", "latest", "--dry-run", "--identity", str(key))
    with pytest.raises(CommandError, match="is encrypted"):
        said("restore", "latest", "--dry-run")
    with pytest.raises(CommandError, match="another one"):
        said("restore", "latest", "--dry-run", "--identity", str(tmp_path / "wrong.txt"))
    with pytest.raises(CommandError, match="no private key"):
        said("restore", "latest", "--dry-run", "--identity", str(shelf / ".lock"))


def test_a_key_that_is_none_is_told_before_anything_is_written(newsroom: str, settings: Any, shelf: Path) -> None:
    settings.BACKUP_RECIPIENTS = ["age1nonsense"]

    with pytest.raises(CommandError, match="no public key"):
        said("backup")

    assert list(shelf.glob("*[0-9]*")) == []


def test_the_list_says_what_can_be_used(backup: Path) -> None:
    usable = said("restore")
    cut(backup)

    assert "1 of 1 usable" in usable and backup.name in usable
    assert "unusable" in said("restore") and "0 of 1 usable" in said("restore")
