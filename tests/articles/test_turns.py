"""turns: processes that don't know each other ask one server one after another, and let it rest together."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from articles import pacing, turns
from articles.models import ServerTurn
from articles.pacing import Pace, TooLong, turn

SERVER = "a.example:443"


@pytest.mark.django_db
def test_turns_are_given_one_after_another() -> None:
    latest = timezone.now() + timedelta(minutes=1)

    first, second, third = (ServerTurn.objects.reserve(SERVER, timedelta(seconds=2), latest) for _time in range(3))

    assert (second - first, third - second) == (timedelta(seconds=2), timedelta(seconds=2))


@pytest.mark.django_db
def test_a_turn_that_is_too_late_is_not_kept() -> None:
    now = timezone.now()
    ServerTurn.objects.rest(SERVER, now + timedelta(hours=1))

    told = ServerTurn.objects.reserve(SERVER, timedelta(seconds=2), now + timedelta(seconds=15))

    assert told == ServerTurn.objects.get().free_at == now + timedelta(hours=1)


@pytest.mark.django_db
def test_a_rest_is_never_shortened() -> None:
    now = timezone.now()
    ServerTurn.objects.rest(SERVER, now + timedelta(hours=2))

    ServerTurn.objects.rest(SERVER, now + timedelta(hours=1))

    assert ServerTurn.objects.get().free_at == now + timedelta(hours=2)


@pytest.mark.django_db
def test_who_has_read_an_old_row_takes_nothing() -> None:
    now = timezone.now()
    ServerTurn.objects.create(server=SERVER, free_at=now)

    taken = ServerTurn.objects.all()._move(SERVER, now - timedelta(seconds=1), now + timedelta(hours=1))

    assert (taken, ServerTurn.objects.get().free_at) == (False, now)


@pytest.mark.django_db
def test_servers_that_nobody_asks_any_more_are_forgotten() -> None:
    ServerTurn.objects.create(server="old.example:443", free_at=timezone.now() - timedelta(days=2))
    ServerTurn.objects.create(server=SERVER, free_at=timezone.now())

    assert ServerTurn.objects.all().forget() == 1
    assert ServerTurn.objects.get().server == SERVER


def test_what_one_process_was_told_another_obeys(other_processes: None) -> None:
    pacing.rest("A.example", 443, timedelta(hours=1))
    pacing._hosts.clear()

    with pytest.raises(TooLong) as raised, turn("a.example", 443):
        pass

    assert timedelta(minutes=59) < raised.value.wait <= timedelta(hours=1)


def test_a_pause_is_kept_between_processes(other_processes: None, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("articles.pacing.time.sleep", slept.append)

    for _process in range(2):
        pacing._hosts.clear()
        with turn("a.example", 443, Pace(seconds=10)):
            pass

    assert 5 < max(slept) <= 10


def test_a_database_that_is_away_keeps_nobody_from_fetching(
    other_processes: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_arguments: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(ServerTurn.objects.__class__, "reserve", fail)

    with caplog.at_level(logging.WARNING):
        assert turns.reserve(SERVER, 1, 10) == 0

    assert "OperationalError" in caplog.text
