"""The age of the last verified backup: where people and Prometheus see it."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone, translation

from tests.people import person, signed_in
from warandpeace import gauges
from warandpeace.backups import ringing
from warandpeace.backups.models import Backup
from warandpeace.dashboard import dashboard

pytestmark = pytest.mark.django_db


def made(hours: float, **values: Any) -> Backup:
    """A backup that was begun so many hours ago."""
    begun = timezone.now() - timedelta(hours=hours)
    return Backup.objects.create(name=f"{hours}", started_at=begun, **({"state": Backup.State.VERIFIED} | values))


def age() -> list[float]:
    return [sample.value for metric in gauges.figures() for sample in metric.samples if "backup" in sample.name]


def light() -> tuple[str, str]:
    """How the dashboard's light of the backups looks to an operator."""
    request = RequestFactory().get("/")
    request.user = person("operator")
    with translation.override("en"):
        lights = dashboard(request, {})["lights"]
    return next((light.status, light.tone) for light in lights if light.label == "Backups")


def test_only_a_verified_one_has_an_age() -> None:
    made(1, state=Backup.State.FAILED)
    before = age()

    made(30)

    assert before == []
    assert age() == [pytest.approx(30 * 3600, abs=60)]


@pytest.mark.parametrize(("hours", "tone"), [(None, "warning"), (30, "success"), (37, "danger")])
def test_the_dashboard_has_a_light(hours: int | None, tone: str) -> None:
    if hours:
        made(hours)

    assert light()[1] == tone


def test_the_list_shows_each_try_and_lets_nobody_change_it() -> None:
    failed = made(1, state=Backup.State.FAILED, error="the disk is full")
    client: Client = signed_in("operator")

    listed = client.get(reverse("admin:warandpeace_backup_changelist"))
    page = client.get(reverse("admin:warandpeace_backup_change", args=[failed.pk]))
    refused = client.post(reverse("admin:warandpeace_backup_delete", args=[failed.pk]))

    assert failed.name in listed.content.decode()
    assert "the disk is full" in page.content.decode()
    assert refused.status_code == 403


def test_the_scheduler_begins_one_only_when_it_is_due(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.BACKUP_HOURS = 24
    monkeypatch.setattr(ringing, "COMMAND", [sys.executable, "-c", "raise SystemExit(3)"])
    begun = ringing.begin_if_due()
    assert begun

    status = begun.wait()
    made(1)

    assert status == 3
    assert ringing.begin_if_due() is None
