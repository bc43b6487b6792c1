"""The trail: changes, decisions and sends in one list, by person, row and time, a page at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from publishing.approval import approve
from publishing.models import Attempt, Message, Publication
from tests.factories import PublicationFactory, SourceFactory, UserFactory
from tests.people import person, signed_in
from warandpeace.audit import trail
from warandpeace.audit.admin import read, written
from warandpeace.audit.trail import Wanted

pytestmark = pytest.mark.django_db

TRAIL = reverse("admin:admin_logentry_changelist")


def changed(user: User, count: int = 1) -> None:
    for number in range(count):
        LogEntry.objects.log_actions(user.pk, [user], CHANGE, f"change {number}", single_object=True)


def details(found: trail.Page) -> list[str]:
    return [event.detail for event in found.events]


def sent(publication: Publication) -> None:
    message = Message.objects.filter(publication=publication).latest("pk")
    now = timezone.now()
    Attempt.objects.create(message=message, fence=1, deadline=now, outcome=Attempt.Outcome.SENT)


def test_a_decision_and_its_send_are_told_with_the_person() -> None:
    publisher = person("publisher")
    publication = PublicationFactory(title="Порт")
    approve(publication.pk, by=publisher)
    sent(publication)

    events = trail.page(Wanted(person=publisher.pk), {}).events

    assert {event.ledger for event in events} == {trail.SENDS, "versions of publishing.publication"}
    assert {(event.person, event.row) for event in events} == {("publisher", str(publication.pk))}


def test_what_the_machine_did_is_shown_only_when_asked_for() -> None:
    SourceFactory()

    by_people, all_of_it = trail.page(Wanted(), {}), trail.page(Wanted(with_machine=True), {})

    assert by_people.events == []
    assert [event.kind for event in all_of_it.events] == ["articles.source"]


def test_a_change_in_a_form_is_one_line_though_it_makes_a_version() -> None:
    source, user = SourceFactory(), UserFactory()
    source._history_user = user
    source.save()
    LogEntry.objects.log_actions(user.pk, [source], CHANGE, "Changed name.", single_object=True)

    events = trail.page(Wanted(kind="articles.source", row=str(source.pk)), {}).events

    assert [event.ledger for event in events] == [trail.FORMS]


def test_pages_follow_each_other_without_gap_or_repetition() -> None:
    changed(UserFactory(), 2 * trail.PAGE + 3)
    pages, before = list[str](), dict[str, int]()

    for _ in range(3):
        found = trail.page(Wanted(), before)
        pages += details(found)
        before = found.older

    assert pages == [f"change {number}" for number in reversed(range(2 * trail.PAGE + 3))]
    assert before == {}


def test_each_page_asks_as_much_as_the_first(django_assert_num_queries: Any) -> None:
    changed(UserFactory(), 2 * trail.PAGE)
    second = trail.page(Wanted(), {}).older

    with django_assert_num_queries(len(trail.LEDGERS)):
        trail.page(Wanted(), second)


def test_a_span_of_time_is_shown_without_what_is_around_it() -> None:
    changed(UserFactory())
    now = timezone.now()

    assert len(trail.page(Wanted(since=now - timedelta(hours=1), until=now + timedelta(hours=1)), {}).events) == 1
    assert trail.page(Wanted(until=now - timedelta(hours=1)), {}).events == []


def test_one_persons_work_is_told_apart() -> None:
    olga, ivan = UserFactory(username="olga"), UserFactory(username="ivan")
    changed(olga)
    changed(ivan)

    page = signed_in("operator").get(TRAIL, {"person": ivan.pk})

    assert [event.person for event in page.context["events"]] == ["ivan"]


@pytest.mark.parametrize(
    "query",
    ["before=forms:x,nothing:5,:", "row=1'--", "kind=a.b&row=5", "since=tomorrow", "person=999999", "before=,,,"],
)
def test_nonsense_in_the_address_is_passed_over(query: str) -> None:
    assert signed_in("operator").get(f"{TRAIL}?{query}").status_code == 200


def test_where_a_page_goes_on_stands_in_its_address() -> None:
    numbers = {"forms": 12, "sends": 5}

    assert read(written(numbers)) == numbers


@pytest.mark.parametrize("role", ["editor", "publisher", "viewer"])
def test_only_operators_read_it(role: str) -> None:
    assert signed_in(role).get(TRAIL).status_code == 403
