"""Schedules: once each, whoever looks and however often, after outages, and whatever the clock says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connections

from publishing import clocks, digests
from publishing.models import Channel, Digest, DigestPlan
from publishing.tasks import plan_digests, ring_due
from tests.publishing.newsroom import finished, news, newsroom, yesterday

pytestmark = pytest.mark.django_db

# A Tuesday, ten in the morning in Moscow.
NOW = datetime(2026, 12, 1, 7, 0, tzinfo=UTC)


def plan(channel: Channel, period: str = "daily", *, since: datetime = NOW - timedelta(days=90)) -> DigestPlan:
    return DigestPlan.objects.create(channel=channel, period=period, at=time(9), begins_at=since)


def starts(period: str = "daily") -> list[str]:
    return sorted(str(day) for day in Digest.objects.filter(period=period).values_list("period_start", flat=True))


def test_a_digest_is_made_once_its_time_has_come() -> None:
    plan(newsroom(), since=NOW - timedelta(hours=12))

    digests.plan_due(NOW - timedelta(hours=1, seconds=1))
    assert starts() == []

    digests.plan_due(NOW - timedelta(hours=1))
    assert starts() == ["2026-11-30"]


@pytest.mark.parametrize(
    ("period", "made"),
    [
        ("weekly", ["2026-11-02", "2026-11-09", "2026-11-16", "2026-11-23"]),
        ("monthly", ["2026-09-01", "2026-10-01", "2026-11-01"]),
        ("annual", []),
    ],
)
def test_an_outage_is_made_up_for_within_bounds(period: str, made: list[str]) -> None:
    plan(newsroom(), period)

    digests.plan_due(NOW)

    assert starts(period) == made


def test_an_outage_over_three_days_gives_three_digests() -> None:
    channel = newsroom()
    plan(channel, since=NOW - timedelta(days=4))
    digests.plan_due(NOW - timedelta(days=3))
    finished(Digest.objects.get())

    digests.plan_due(NOW)

    assert starts() == ["2026-11-27", "2026-11-28", "2026-11-29", "2026-11-30"]


def test_looking_again_makes_nothing_more() -> None:
    plan(newsroom())
    digests.plan_due(NOW)
    made = Digest.objects.count()

    for digest in Digest.objects.all():
        finished(digest)

    assert digests.plan_due(NOW) == []
    assert Digest.objects.count() == made == 7


def test_nothing_is_made_up_for_from_before_the_schedule() -> None:
    plan(newsroom(), since=NOW)

    assert digests.plan_due(NOW + timedelta(hours=1)) == []


def test_a_schedule_that_is_off_makes_nothing() -> None:
    DigestPlan.objects.filter(pk=plan(newsroom()).pk).update(is_active=False)

    assert digests.plan_due(NOW) == []


def test_what_was_made_by_hand_before_the_day_was_over_does_not_count() -> None:
    channel = newsroom()
    plan(channel, since=NOW - timedelta(hours=12))
    values = {"channel": channel, "period": "daily", "period_start": "2026-11-30", "period_end": "2026-11-30"}
    Digest.objects.create(state="ready", created_at=NOW - timedelta(hours=14), **values)

    digests.plan_due(NOW)

    assert list(Digest.objects.order_by("version").values_list("version", "state")) == [(1, "ready"), (2, "draft")]


def test_what_a_clock_that_ran_ahead_has_made_is_made_again_in_time() -> None:
    plan(newsroom(), since=NOW - timedelta(hours=12))
    digests.plan_due(NOW + timedelta(days=2))
    Digest.objects.update(state="ready", next_step_at=None)
    assert starts() == ["2026-11-30", "2026-12-01", "2026-12-02"]

    digests.plan_due(NOW)
    digests.plan_due(NOW + timedelta(days=1))

    again = Digest.objects.filter(version=2).values_list("period_start", flat=True)
    assert sorted(str(day) for day in again) == ["2026-11-30", "2026-12-01"]


def test_a_schedule_that_ran_ahead_waits_for_the_end_of_the_period() -> None:
    channel = newsroom()
    plan(channel, since=datetime.now(UTC) - timedelta(days=1))
    digests.plan_due(datetime.now(UTC) + timedelta(days=2))
    Digest.objects.update(next_step_at=datetime.now(UTC))

    ahead = finished(Digest.objects.latest("period_start"))

    assert (ahead.state, ahead.sections.count()) == (Digest.State.DRAFT, 0)


def test_a_lease_that_a_clock_ahead_has_set_is_due_again() -> None:
    plan(newsroom(), since=NOW - timedelta(hours=12))
    digests.plan_due(NOW)
    Digest.objects.update(next_step_at=datetime.now(UTC) + timedelta(days=300))

    clocks.mend()

    assert Digest.objects.due().exists()


def test_a_clock_that_goes_back_makes_nothing_twice() -> None:
    plan(newsroom(), since=NOW - timedelta(days=3))
    for days in (3, 2, 1, 0):
        digests.plan_due(NOW - timedelta(days=days))
        Digest.objects.update(state="ready", next_step_at=None)
    made = Digest.objects.count()

    for hours in (30, 20, 0):
        digests.plan_due(NOW - timedelta(hours=hours))

    assert Digest.objects.count() == made == 3


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_at_once_make_one_digest_of_each_period() -> None:
    plan(newsroom())

    def schedule(_number: int) -> None:
        try:
            digests.plan_due(NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(schedule, range(8)))

    assert Digest.objects.count() == 7
    assert set(Digest.objects.values_list("version", flat=True)) == {1}


def test_the_doorbells_bring_a_digest_into_being_and_to_its_end() -> None:
    channel = newsroom()
    news(channel)
    DigestPlan.objects.create(
        channel=channel, period="daily", at=time(0), begins_at=datetime.now(UTC) - timedelta(days=1)
    )

    plan_digests()

    assert Digest.objects.get(period_start=yesterday()).state == Digest.State.READY


def test_the_sweeper_takes_up_what_a_lost_doorbell_has_left() -> None:
    channel = newsroom()
    news(channel)
    digest = digests.request("daily", channel, yesterday())

    ring_due()

    digest.refresh_from_db()
    assert digest.state == Digest.State.READY
