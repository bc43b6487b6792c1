"""How long calls take and posts wait, as Prometheus gets to know it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client import REGISTRY

from publishing import delivery
from publishing.models import Publication
from tests.fakes.bot_api import BotApi, Fault
from tests.publishing.outbox import approved, telegram

pytestmark = pytest.mark.django_db(transaction=True)


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize(
    ("fault", "outcome"), [(Fault.SLOW, "sent"), (Fault.DROP, "unknown"), (Fault.REFUSED, "refused")]
)
def test_each_call_is_measured_by_its_outcome(api: BotApi, fault: Fault, outcome: str) -> None:
    before = sample("post_duration_seconds_count", outcome=outcome)
    api.faults.append(fault)

    delivery.deliver(approved(telegram()).channel_id)

    assert sample("post_duration_seconds_count", outcome=outcome) == before + 1


def test_a_post_has_waited_since_it_was_due(api: BotApi) -> None:
    publication, before = approved(telegram()), sample("post_wait_seconds_sum")
    Publication.objects.update(approved_at=timezone.now() - timedelta(hours=1))

    delivery.deliver(publication.channel_id)

    assert sample("post_wait_seconds_sum") - before >= 3600


def test_a_post_that_was_not_sent_has_not_ended_its_wait(api: BotApi) -> None:
    before = sample("post_wait_seconds_count")
    api.faults.append(Fault.DROP)

    delivery.deliver(approved(telegram()).channel_id)

    assert sample("post_wait_seconds_count") == before
