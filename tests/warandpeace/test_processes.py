"""What Celery's processes say of themselves."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from celery.signals import worker_shutting_down

from warandpeace import processes


@pytest.mark.either_database
def test_a_worker_notes_its_end_as_soon_as_it_is_told_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be killed while it waits for its last tasks."""
    noted: list[str] = []
    monkeypatch.setattr(processes, "_presences", [SimpleNamespace(leave=lambda: noted.append("its end"))])

    worker_shutting_down.send(sender="worker@here", sig="SIGTERM", how="Warm", exitcode=0)

    assert noted == ["its end"]
