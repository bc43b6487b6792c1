from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from publishing.models import Message
from tests.factories import PublicationFactory
from warandpeace.models import Heartbeat

pytestmark = pytest.mark.django_db


@pytest.fixture
def sweeping():
    Heartbeat.beat("sweeper")


def test_a_live_process_says_so_to_anybody(client):
    response = client.get("/healthz", headers={"Host": "not-ours.example"})

    assert response.status_code == 200


def test_liveness_asks_no_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get("/healthz")


def test_a_working_newsroom_is_ready(client, sweeping):
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json()["ready"]
    assert set(response.json()["checks"]) == {"migrations", "database", "sweeper", "messages", "alerts", "backups"}


def test_without_a_sweeper_it_is_not_ready(client):
    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["checks"]["sweeper"] == {"ok": False, "detail": "has never run", "blocks": True}


def test_with_a_stopped_sweeper_it_is_not_ready(client):
    Heartbeat.objects.create(name="sweeper", beat_at=timezone.now() - timedelta(seconds=61))

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["checks"]["sweeper"]["detail"] == "ran 61 s ago"


def test_with_a_missing_migration_it_is_not_ready(client, sweeping):
    newest = MigrationLoader(connection).graph.leaf_nodes("warandpeace")[0]
    MigrationRecorder(connection).record_unapplied(*newest)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["checks"]["migrations"]["detail"] == "1 not applied"


def test_a_failing_database_is_an_answer(client, sweeping, monkeypatch):
    def fail(name: str) -> None:
        raise OperationalError("disk full at /secret/path")

    monkeypatch.setattr(Heartbeat, "beat", fail)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["checks"]["database"]["detail"] == "OperationalError"


def test_unresolved_messages_are_told_but_do_not_close_the_door(client, sweeping):
    publication = PublicationFactory()
    Message.objects.create(
        publication=publication,
        channel=publication.channel,
        ordinal=1,
        payload={},
        payload_hash="0" * 64,
        state=Message.State.NEEDS_PERSON,
    )

    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json()["checks"]["messages"] == {"ok": False, "detail": "1 unresolved", "blocks": False}


def test_strangers_cannot_keep_the_database_busy(client, sweeping, django_assert_num_queries):
    client.get("/readyz")

    with django_assert_num_queries(0):
        client.get("/readyz")
