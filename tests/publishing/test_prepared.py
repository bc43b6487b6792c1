"""Statements that are written once: they ask and write what the query set would."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from publishing.models import Attempt, Channel, Message
from publishing.prepared import PK, Prepared, PreparedInsert, PreparedUpdate
from tests.factories import ChannelFactory
from tests.publishing.outbox import approved

pytestmark = pytest.mark.django_db

one_message = Prepared(lambda: Message.objects.filter(pk=PK))
doubled = Prepared(lambda: Channel.objects.filter(pk=PK).annotate(double=F("seconds_between_posts") * 2))
insertion = PreparedInsert(Attempt)
pause = PreparedUpdate(
    lambda: Channel.objects.filter(pk=PK, is_paused=False),
    "next_post_at",
    is_paused=True,
    seconds_between_posts=F("seconds_between_posts") + 1,
)


def test_a_row_is_read_as_the_query_set_reads_it(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    message: Message = approved().messages.get()

    with django_assert_num_queries(1):
        found = one_message.first(pk=message.pk)

    assert found is not None
    for field in Message._meta.concrete_fields:
        assert getattr(found, field.attname) == getattr(message, field.attname), field.name
    assert not found._state.adding


def test_no_row_is_none() -> None:
    assert one_message.first(pk=0) is None


def test_a_second_question_gets_its_own_answer() -> None:
    first, second = approved().messages.get(), approved().messages.get()

    assert [one_message.first(pk=message.pk) for message in (second, first)] == [second, first]


def test_an_update_fills_blanks_constants_and_expressions() -> None:
    channel, moment = ChannelFactory.create(seconds_between_posts=3), timezone.now() + timedelta(hours=1)

    changed = pause.run(pk=channel.pk, next_post_at=moment)

    channel.refresh_from_db()
    assert changed == 1
    assert (channel.next_post_at, channel.is_paused, channel.seconds_between_posts) == (moment, True, 4)


def test_an_update_touches_only_the_rows_that_are_as_it_expects() -> None:
    channel, other = ChannelFactory.create(is_paused=True), ChannelFactory.create()

    changed = pause.run(pk=channel.pk, next_post_at=timezone.now() + timedelta(hours=1))

    channel.refresh_from_db()
    other.refresh_from_db()
    assert (changed, channel.next_post_at < timezone.now(), other.is_paused) == (0, True, False)


def test_all_rows_are_read_with_what_they_are_annotated_with() -> None:
    channels = ChannelFactory.create_batch(2, seconds_between_posts=4)

    found: list[Any] = doubled.all(pk=channels[0].pk)

    assert [(channel.pk, channel.name, channel.double) for channel in found] == [(channels[0].pk, channels[0].name, 8)]


def test_an_insertion_writes_all_that_the_instance_has(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    message: Message = approved().messages.get()
    attempt = Attempt(message=message, fence=3, payload_hash="hash", deadline=timezone.now(), last_message_id=5)

    with django_assert_num_queries(1):
        insertion.run(attempt)

    row = Attempt.objects.get()
    assert (attempt.pk, attempt._state.adding) == (row.pk, False)
    for field in Attempt._meta.concrete_fields:
        assert getattr(row, field.attname) == getattr(attempt, field.attname), field.name
