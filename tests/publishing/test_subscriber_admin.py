"""Subscribers in the admin: how many there are, what became of deliveries, and nothing else about anybody."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from publishing.admin.subscriber import counts
from publishing.models import Delivery, Subscriber, Subscription
from publishing.subscriptions import people
from tests.fakes.bot_api import BotApi, Fault
from tests.people import person
from tests.publishing.readers import digest_out, mail, reader

pytestmark = pytest.mark.django_db

Kind = Subscription.Kind
SUBSCRIBERS = "admin:publishing_subscriber_changelist"
DELIVERIES = "admin:publishing_delivery_changelist"


def in_doubt(api: BotApi) -> Delivery:
    """A delivery of which nobody knows whether it has arrived."""
    reader(1, kind=Kind.DAILY, channel=digest_out().channel)
    api.faults.append(Fault.DROP)
    mail()
    return Delivery.objects.get()


def test_people_are_counted_by_state_and_subscriptions_by_kind() -> None:
    reader(1, kind=Kind.WORDS, words="порт")
    reader(2, kind=Kind.WORDS, words="судно")
    people.let_go(reader(3, kind=Kind.WORDS, words="порт").telegram_user_id)

    with translation.override("en"):
        numbers = dict(counts())

    assert (numbers["active"], numbers["blocked the bot"], numbers["words"], numbers["topic"]) == (2, 1, 2, 0)


def test_the_list_shows_the_counts_in_a_few_queries(
    admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        reader(number, kind=Kind.WORDS, words="порт")

    with django_assert_max_num_queries(40):
        page = admin_client.get(reverse(SUBSCRIBERS)).content.decode()

    assert str(Subscriber.State.BLOCKED.label) in page


def test_nobody_edits_subscribers(admin_client: Client) -> None:
    row = reader(1, kind=Kind.WORDS, words="порт")
    address = reverse("admin:publishing_subscriber_change", args=[row.pk])

    admin_client.post(address, {"telegram_user_id": "5", "language": "ru", "state": "left"})

    assert Subscriber.objects.get().telegram_user_id == row.telegram_user_id


def test_a_delivery_in_doubt_is_left_by_an_operator(api: BotApi, client: Client) -> None:
    doubtful = in_doubt(api)
    client.force_login(person("operator"))

    client.post(reverse(DELIVERIES), {"action": "leave_selected", "_selected_action": [doubtful.pk]})

    doubtful.refresh_from_db()
    assert doubtful.state == Delivery.State.LEFT


def test_what_somebody_reads_is_not_shown(api: BotApi, admin_client: Client) -> None:
    doubtful = in_doubt(api)

    page = admin_client.get(reverse("admin:publishing_delivery_change", args=[doubtful.pk])).content.decode()

    assert (str(doubtful.subscriber) in page, "Порт открыт" in page) == (True, False)


def test_editors_do_not_see_subscribers(client: Client) -> None:
    client.force_login(person("editor"))

    assert client.get(reverse(SUBSCRIBERS)).status_code == 403
