from __future__ import annotations

import logging
import os
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from articles.models import DeadLetter
from articles.tasks import fetch_source
from publishing.models import Publication
from tests.factories import ArticleFactory, PublicationFactory, SourceFactory, UserFactory
from usage.models import Alert, ProcessSession, Provider, Spending, utc_day
from warandpeace import processes
from warandpeace.logs import correlation_id
from warandpeace.models import Heartbeat, Transfer

pytestmark = pytest.mark.django_db


@pytest.fixture
def read(client):
    """Reads the page as Prometheus does: gives the value of a sample by its name and labels."""

    def value(name: str, **labels: str) -> float | None:
        text = client.get("/metrics").content.decode()
        samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
        return next((sample.value for sample in samples if sample.name == name and sample.labels == labels), None)

    return value


def test_queue_depth_by_state(read):
    PublicationFactory.create_batch(3)
    PublicationFactory(state=Publication.State.HELD)
    PublicationFactory(state=Publication.State.REJECTED)

    assert read("publications", state="pending") == 3
    assert read("publications", state="held") == 1
    assert read("publications", state="rejected") is None


def test_how_long_the_oldest_waits_by_state(read):
    now = timezone.now()
    waiting = PublicationFactory()
    Publication.objects.filter(pk=waiting.pk).update(created_at=now - timedelta(hours=1))
    PublicationFactory(state=Publication.State.APPROVED, scheduled_for=now + timedelta(hours=1))

    assert read("publications_oldest_seconds", state="pending") == pytest.approx(3600, abs=5)
    assert read("publications_oldest_seconds", state="approved") == 0
    assert read("publications_oldest_seconds", state="held") == 0


def test_how_long_each_source_was_not_read_and_how_many_fail(read):
    SourceFactory(slug="port", last_success_at=timezone.now() - timedelta(minutes=5))
    SourceFactory(slug="harbour", consecutive_failures=3)
    SourceFactory(slug="asleep", is_active=False, last_success_at=timezone.now(), consecutive_failures=1)

    assert read("source_age_seconds", source="port") == pytest.approx(300, abs=5)
    assert read("source_age_seconds", source="asleep") is None
    assert read("sources_failing") == 1


def test_the_share_of_a_budget_that_is_gone(read):
    provider = Provider.objects.create(name="paid", base_url="http://llm.example/v1", model="m", daily_budget=10)
    Spending.objects.create(
        day=utc_day(timezone.now()), provider=provider.name, purpose="", spent_usd=2, reserved_usd=3
    )

    assert read("budget_used_ratio", provider="paid", purpose="") == 0.5


def test_open_alerts_by_kind(read):
    Alert.sound("post_unresolved", "1", "?")
    Alert.sound("post_unresolved", "2", "?")
    Alert.is_over("post_unresolved", "2")

    assert read("alerts_open", code="post_unresolved") == 1


def test_processes_that_were_seen_lately(read):
    ProcessSession.begin("worker")
    ProcessSession.begin("worker").end()
    silent = ProcessSession.begin("beat")
    ProcessSession.objects.filter(pk=silent.pk).update(last_seen_at=timezone.now() - timedelta(minutes=4))

    assert read("processes_alive", role="worker") == 1
    assert read("processes_alive", role="beat") is None


def test_age_of_the_last_proved_transfer(read):
    Transfer.objects.create(origin="1", source="a", target="b", batch_size=1, state=Transfer.State.UNPROVED)
    done = timezone.now() - timedelta(days=1)
    Transfer.objects.create(
        origin="2", source="a", target="b", batch_size=1, state=Transfer.State.PROVED, finished_at=done
    )

    assert read("transfer_age_seconds") == pytest.approx(86400, abs=5)


def test_age_of_the_newest_article(read):
    ArticleFactory(published_at=timezone.now() - timedelta(minutes=90))
    ArticleFactory(published_at=timezone.now() - timedelta(minutes=10))

    assert read("last_article_age_minutes") == pytest.approx(10, abs=0.5)


def test_an_empty_newsroom_has_no_article_age(read):
    assert read("last_article_age_minutes") is None


def test_dead_letters(read):
    DeadLetter.record(DeadLetter.EntityType.PAGE, "https://news.example/1", "http_404", "", 1)

    assert read("dlq_size") == 1


def test_age_of_the_sweeper(read):
    Heartbeat.objects.create(name="sweeper", beat_at=timezone.now() - timedelta(seconds=30))

    assert read("sweeper_age_seconds") == pytest.approx(30, abs=5)


def test_when_each_role_began(read):
    session = ProcessSession.begin("worker")

    assert read("session_start_time_seconds", role="worker") == pytest.approx(session.started_at.timestamp())


def test_errors_are_counted_by_the_exceptions_class(read):
    before = read("errors_total", type="ZeroDivisionError") or 0

    try:
        _ = 1 / 0
    except ZeroDivisionError:
        logging.getLogger("articles.ingest").exception("failed")

    assert read("errors_total", type="ZeroDivisionError") == before + 1


def test_tasks_are_timed_and_named_in_the_log(read):
    before = read("job_duration_seconds_count", job=fetch_source.name) or 0

    processes.task_began(task_id="0123456789")
    named = correlation_id.get()
    processes.task_ended(task_id="0123456789", task=fetch_source)

    assert named == "01234567"
    assert correlation_id.get() == "-"
    assert read("job_duration_seconds_count", job=fetch_source.name) == before + 1


def test_requests_are_counted(client, read):
    before = read("django_http_responses_total_by_status_total", status="200") or 0

    client.get("/")

    assert read("django_http_responses_total_by_status_total", status="200") >= before + 1


def test_processes_of_several_machines_may_share_the_folder(client):
    client.get("/")

    files = {file.stem for file in Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).glob("*.db")}

    assert f"counter_{socket.gethostname()}-{os.getpid()}" in files


def test_rows_are_counted_once_in_a_while(client, django_assert_num_queries):
    client.get("/metrics")

    with django_assert_num_queries(0):
        client.get("/metrics")


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.7"}, 403),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.7"}, 403),
        ("203.0.113.7", {}, 403),
        ("203.0.113.7", {"Authorization": "Bearer wrong"}, 403),
        ("203.0.113.7", {"Authorization": "Bearer right-token"}, 200),
        ("", {}, 403),
    ],
)
def test_strangers_see_no_figures(client, settings, address, headers, status):
    settings.METRICS_TOKEN = "right-token"

    response = client.get("/metrics", REMOTE_ADDR=address, headers=headers)

    assert response.status_code == status


def test_no_token_configured_means_no_token_is_right(client, settings):
    settings.METRICS_TOKEN = ""

    response = client.get("/metrics", REMOTE_ADDR="203.0.113.7", headers={"Authorization": "Bearer "})

    assert response.status_code == 403


def test_an_operator_sees_the_figures(client):
    operator = UserFactory()
    operator.user_permissions.add(Permission.objects.get(codename="view_heartbeat"))
    client.force_login(operator)

    assert client.get("/metrics", REMOTE_ADDR="203.0.113.7").status_code == 200


def test_an_editor_sees_none(client):
    client.force_login(UserFactory())

    assert client.get("/metrics", REMOTE_ADDR="203.0.113.7").status_code == 403
