"""Statements that are written once: they ask and write what the query set would."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from publishing.models import Channel, Message
from publishing.prepared import PK, Prepared, PreparedUpdate
from tests.factories import ChannelFactory
from tests.publishing.outbox import approved

pytestmark = pytest.mark.django_db

one_message = Prepared(lambda: Message.objects.filter(pk=PK))
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
