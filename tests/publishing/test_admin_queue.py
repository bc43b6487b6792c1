"""The queue while somebody works in it: undoing, what is new, and the calendar."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from publishing import approval, delivery, scheduling
from publishing.models import Channel, Message, Publication
from tests.factories import ChannelFactory, PublicationFactory
from tests.people import signed_in

pytestmark = pytest.mark.django_db

QUEUE = "/admin/publishing/pendingpublication/"
LIVE, UNDO = f"{QUEUE}live/", f"{QUEUE}undo/"
CALENDAR, MOVE = f"{QUEUE}calendar/", f"{QUEUE}calendar/move/"
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def publisher() -> Client:
    return signed_in("publisher")


@pytest.fixture
def holding(settings: Any) -> None:
    """Approved publications wait for a while."""
    settings.UNDO_SECONDS = 30


def decide(client: Client, action: str, *publications: Publication, **answer: Any) -> Any:
    chosen = {"_selected_action": [publication.pk for publication in publications]}
    return client.post(QUEUE, {"action": action, "index": 0, **chosen, **answer}, follow=True)


def states() -> set[str]:
    return set(Publication.objects.values_list("state", flat=True))


# --- undoing --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("holding")
def test_an_approval_is_undone_before_anything_is_sent(publisher: Client) -> None:
    publications = PublicationFactory.create_batch(2)
    page = decide(publisher, "approve_selected", *publications).content.decode()
    for publication in publications:
        delivery.deliver(publication.channel_id)
    decided = states()

    publisher.post(UNDO)

    assert "wp-toast" in page
    assert (decided, states()) == ({"approved"}, {"pending"})
    assert not Message.objects.exists()


@pytest.mark.usefixtures("holding")
def test_a_rejection_is_undone(publisher: Client) -> None:
    decide(publisher, "reject_selected", PublicationFactory(), apply=1, reason="повтор")

    publisher.post(UNDO)

    assert states() == {"pending"}


@pytest.mark.usefixtures("holding")
def test_what_somebody_has_decided_since_is_not_undone(publisher: Client) -> None:
    publication = PublicationFactory()
    decide(publisher, "reject_selected", publication, apply=1)
    approval.withdraw(publication.pk, by=None)
    approval.approve(publication.pk, by=None)

    publisher.post(UNDO)

    assert states() == {"approved"}


@pytest.mark.usefixtures("holding")
def test_what_was_sent_is_not_undone(publisher: Client) -> None:
    publication = PublicationFactory()
    decide(publisher, "approve_selected", publication)
    publication.messages.update(not_before=timezone.now())
    delivery.deliver(publication.channel_id)

    publisher.post(UNDO)

    assert states() == {"published"}


@pytest.mark.usefixtures("holding")
def test_the_row_says_that_it_can_still_be_undone(publisher: Client) -> None:
    decide(publisher, "approve_selected", PublicationFactory())

    rows = publisher.get(QUEUE, {"stage": "approved"}).context["cl"].result_list

    assert rows[0].scheduled_for is None
    assert rows[0].messages.get().not_before > timezone.now()


def test_an_editor_may_not_undo() -> None:
    assert signed_in("editor").post(UNDO).status_code == 403


# --- what is new ----------------------------------------------------------------------------------------------------


def test_what_has_come_since_is_counted_and_what_is_shown_is_not(publisher: Client) -> None:
    since, shown = timezone.now(), PublicationFactory()
    PublicationFactory.create_batch(2)

    answer = publisher.get(LIVE, {"stage": "waiting", "since": since.isoformat(), "rows": shown.pk}).json()

    assert answer["new"] == 2
    assert answer["tabs"]["waiting"] == "3"


def test_a_row_that_somebody_has_decided_says_so(publisher: Client) -> None:
    publication = PublicationFactory()
    approval.reject(publication.pk, by=None, reason="старое")

    row = publisher.get(LIVE, {"stage": "waiting", "rows": publication.pk}).json()["rows"][str(publication.pk)]

    assert row["left"]
    assert "старое" in row["why"]


def test_nothing_is_sent_twice_while_nothing_changes(publisher: Client) -> None:
    PublicationFactory()
    asked = {"stage": "waiting", "since": timezone.now().isoformat()}
    first = publisher.get(LIVE, asked)

    second = publisher.get(LIVE, asked, headers={"If-None-Match": first["ETag"]})

    assert (first.status_code, second.status_code, second.content) == (200, 304, b"")


def test_looking_costs_the_same_whatever_the_length(publisher: Client, django_assert_max_num_queries: Any) -> None:
    rows = PublicationFactory.create_batch(30, channel=ChannelFactory())

    with django_assert_max_num_queries(14):
        answer = publisher.get(LIVE, {"rows": ",".join(str(row.pk) for row in rows), "since": "2026-99-99T"})

    assert len(answer.json()["rows"]) == 30


def test_strangers_learn_nothing() -> None:
    assert signed_in("").get(LIVE).status_code == 403


# --- the calendar ---------------------------------------------------------------------------------------------------


def scheduled(moment: datetime, **fields: Any) -> Publication:
    return approval.approve(PublicationFactory(**fields).pk, by=None, scheduled_for=moment)


def in_days(count: int, zone: ZoneInfo = BERLIN) -> datetime:
    """Half past nine by the zone's clock."""
    return (timezone.now().astimezone(zone) + timedelta(days=count)).replace(hour=9, minute=30, second=0, microsecond=0)


@pytest.fixture
def berlin() -> Channel:
    channel: Channel = ChannelFactory(time_zone="Europe/Berlin")
    return channel


@pytest.mark.parametrize("view", ["week", "month"])
def test_a_scheduled_post_stands_on_its_day(publisher: Client, berlin: Channel, view: str) -> None:
    moment = in_days(3)
    publication = scheduled(moment, channel=berlin)

    page = publisher.get(CALENDAR, {"channel": str(berlin.pk), "view": view, "day": moment.date().isoformat()})

    assert f'data-publication="{publication.pk}"' in page.content.decode()
    assert "<b>09:30</b>" in page.content.decode()


def test_a_post_is_dragged_to_a_slot_and_keeps_its_minute(publisher: Client, berlin: Channel) -> None:
    publication, slot = scheduled(in_days(3), channel=berlin), in_days(4).replace(hour=18, minute=0)

    publisher.post(MOVE, {"publication": publication.pk, "revision": 1, "slot": slot.isoformat()})

    publication.refresh_from_db()
    assert publication.scheduled_for == slot.replace(minute=30)
    assert publication.messages.get().not_before == slot.replace(minute=30)


def test_a_post_is_moved_by_typing_the_channels_time(publisher: Client, berlin: Channel) -> None:
    publication, wanted = scheduled(in_days(3), channel=berlin), in_days(5)
    typed = wanted.strftime("%Y-%m-%dT%H:%M")

    publisher.post(MOVE, {"publication": publication.pk, "revision": 1, "moment": typed})

    publication.refresh_from_db()
    assert publication.scheduled_for == wanted


@pytest.mark.parametrize("changes", [{"revision": 9}, {"slot": "2020-01-01T10:00:00+00:00"}, {"slot": ""}])
def test_a_move_that_cannot_be_is_refused_with_a_reason(
    publisher: Client, berlin: Channel, changes: dict[str, Any]
) -> None:
    publication = scheduled(in_days(3), channel=berlin)
    asked = {"publication": publication.pk, "revision": 1, "slot": in_days(4).isoformat()} | changes

    answer = publisher.post(MOVE, asked, headers={"Accept": "application/json"})

    assert (answer.status_code, bool(json.loads(answer.content)["problem"])) == (409, True)
    assert Publication.objects.get(pk=publication.pk).scheduled_for == publication.scheduled_for


def test_an_editor_moves_nothing(berlin: Channel) -> None:
    publication = scheduled(in_days(3), channel=berlin)

    answer = signed_in("editor").post(MOVE, {"publication": publication.pk, "revision": 1})

    assert answer.status_code == 403


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)])
def test_a_day_has_as_many_slots_as_its_clock_counts(day: date, hours: int) -> None:
    slots = scheduling.slots(day, BERLIN)

    assert sum(map(len, slots.values())) == hours


def test_the_leapt_over_hour_has_no_slot_and_the_doubled_one_has_two() -> None:
    spring, autumn = scheduling.slots(date(2026, 3, 29), BERLIN), scheduling.slots(date(2026, 10, 25), BERLIN)

    assert (len(spring[2]), len(autumn[2])) == (0, 2)


def test_a_day_later_is_the_same_clock_though_the_clocks_change() -> None:
    saturday = datetime(2026, 3, 28, 9, 30, tzinfo=BERLIN)

    moved = scheduling.same_clock(saturday, date(2026, 3, 29), BERLIN)

    assert moved == datetime(2026, 3, 29, 7, 30, tzinfo=UTC)


def test_the_calendar_costs_the_same_whatever_stands_in_it(
    publisher: Client, berlin: Channel, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    scheduled(in_days(0) + timedelta(days=1), channel=berlin)
    asked = {"channel": str(berlin.pk), "view": "month", "day": in_days(1).date().isoformat()}
    with django_assert_max_num_queries(25) as few:
        publisher.get(CALENDAR, asked)
    for _number in range(5):
        scheduled(in_days(1), channel=berlin)

    with django_assert_num_queries(len(few)):
        publisher.get(CALENDAR, asked)


def test_the_tour_is_told_in_both_languages(publisher: Client) -> None:
    pages = [
        publisher.get(reverse("admin:publishing_queue_tour"), headers={"Accept-Language": lang})
        for lang in ("ru", "en")
    ]

    assert all(page.status_code == 200 for page in pages)


# --- what was refused, and other clocks -----------------------------------------------------------------------------


def test_what_its_channel_refused_has_a_tab_of_its_own_and_a_way_back(publisher: Client) -> None:
    refused = PublicationFactory(state=Publication.State.FAILED, last_error="too long")

    page = publisher.get(QUEUE, {"stage": "failed"})
    decide(publisher, "withdraw_selected", refused)

    assert [row.pk for row in page.context["cl"].result_list] == [refused.pk]
    assert {row["name"]: row["text"] for row in page.context["stages"]}["failed"] == "1"
    assert "too long" in page.content.decode()
    assert states() == {"pending"}


def test_a_time_is_typed_on_the_clock_of_the_channel(publisher: Client) -> None:
    publication = PublicationFactory(channel__time_zone="Asia/Vladivostok")
    day = timezone.localdate() + timedelta(days=2)

    asked = decide(publisher, "schedule_selected", publication).content.decode()
    decide(publisher, "schedule_selected", publication, apply="1", moment=f"{day}T09:30")

    publication.refresh_from_db()
    assert "Asia/Vladivostok" in asked
    assert publication.scheduled_for == datetime(
        day.year, day.month, day.day, 9, 30, tzinfo=ZoneInfo("Asia/Vladivostok")
    )


def test_several_channels_get_the_same_hour_of_their_own_clocks(publisher: Client) -> None:
    there, here = PublicationFactory(channel__time_zone="Asia/Vladivostok"), PublicationFactory()
    day = timezone.localdate() + timedelta(days=2)

    told = decide(publisher, "schedule_selected", there, here, apply="1", moment=f"{day}T09:30").content.decode()

    rows = Publication.objects.select_related("channel")
    clocks = {row.scheduled_for.astimezone(row.channel.zone).isoformat()[11:] for row in rows if row.scheduled_for}
    assert clocks == {"09:30:00+10:00", "09:30:00+03:00"}
    assert "09:30 MSK" in told


def test_an_hour_that_never_comes_on_the_channels_clock_is_asked_for_again(publisher: Client) -> None:
    publication = PublicationFactory(channel__time_zone="Europe/Berlin")

    decide(publisher, "schedule_selected", publication, apply="1", moment="2036-03-30T02:30")

    assert states() == {"pending"}


def test_when_it_goes_out_is_told_with_the_zone_where_that_is_another_one(publisher: Client) -> None:
    publication = PublicationFactory(channel__time_zone="Asia/Vladivostok")
    approval.approve(publication.pk, by=None, scheduled_for=timezone.now() + timedelta(days=2))

    page = publisher.get(QUEUE, {"stage": "approved"}).content.decode()

    assert "+10" in page
