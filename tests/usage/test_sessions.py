from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from usage.models import ProcessSession
from usage.revision import checked_out_commit


@pytest.mark.django_db
def test_a_session_says_who_began_where() -> None:
    session = ProcessSession.begin("worker")

    session.refresh_from_db()
    assert (session.role, session.ended_at) == ("worker", None)
    assert session.container_id


@pytest.mark.django_db
def test_a_living_session_is_seen() -> None:
    session = ProcessSession.begin("worker")
    ProcessSession.objects.update(last_seen_at=timezone.now() - timedelta(hours=1))

    session.seen()

    session.refresh_from_db()
    assert session.last_seen_at is not None
    assert timezone.now() - session.last_seen_at < timedelta(minutes=1)


@pytest.mark.django_db
def test_a_session_ends_once() -> None:
    session = ProcessSession.begin("worker")
    session.end()
    ended_at = ProcessSession.objects.get().ended_at

    session.end()

    assert ended_at is not None
    assert ProcessSession.objects.get().ended_at == ended_at


@pytest.mark.parametrize(
    ("files", "commit"),
    [
        ({"HEAD": "ref: refs/heads/main\n", "refs/heads/main": "c0ffee\n"}, "c0ffee"),
        (
            {"HEAD": "ref: refs/heads/main\n", "packed-refs": "# pack\nbad refs/heads/x\nc0ffee refs/heads/main\n"},
            "c0ffee",
        ),
        ({"HEAD": "c0ffee\n"}, "c0ffee"),
        ({"HEAD": "ref: refs/heads/main\n"}, ""),
        ({}, ""),
    ],
    ids=["branch", "packed", "detached", "unborn", "no checkout"],
)
def test_the_commit_is_read_from_the_checkout(tmp_path: Path, files: dict[str, str], commit: str) -> None:
    for name, text in files.items():
        file = tmp_path / ".git" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    assert checked_out_commit(tmp_path) == commit
