"""pacing: one server is asked one request after another, a few at once, and not at all while it rests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django import Settings

from articles import http, network, pacing
from articles.ingest import ingest
from articles.models import Source
from articles.pacing import Pace, TooLong, turn
from tests.factories import SourceFactory
from tests.fakes.feed_server import FeedServer


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    made = Clock()
    monkeypatch.setattr(pacing, "time", made)
    pacing._hosts.clear()
    yield made
    pacing._hosts.clear()


def ask(host: str, *, times: int = 1, pace: Pace | None = None) -> None:
    for _time in range(times):
        with turn(host, 443, pace):
            pass


def test_requests_to_one_host_keep_the_pause_of_the_settings(clock: Clock, settings: Settings) -> None:
    settings.FETCH_SECONDS_BETWEEN_REQUESTS = 0.5

    ask("a.example", times=3)

    assert [slept for slept in clock.slept if slept] == [0.5, 0.5]


def test_other_hosts_are_not_waited_for(clock: Clock) -> None:
    for host in ("a.example", "b.example", "c.example"):
        ask(host)

    assert set(clock.slept) == {0}


def test_a_source_may_have_its_own_pause(clock: Clock) -> None:
    ask("127.0.0.1", times=2, pace=Pace(seconds=3))

    assert clock.slept == [0, 3]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]"])
def test_our_own_machine_is_asked_as_fast_as_it_answers(clock: Clock, host: str) -> None:
    ask(host, times=5)

    assert clock.slept == [0] * 5


def test_nobody_waits_for_a_host_that_rests(clock: Clock) -> None:
    pacing.rest("a.example", 443, timedelta(hours=1))

    with pytest.raises(TooLong) as raised:
        ask("a.example")

    assert raised.value.wait == timedelta(hours=1)


def test_a_place_is_given_back_also_by_who_was_sent_away(clock: Clock) -> None:
    pacing.rest("a.example", 443, timedelta(hours=1))
    for _time in range(10):
        with pytest.raises(TooLong):
            ask("a.example", pace=Pace(connections=1))
    clock.now += 3600

    ask("a.example", pace=Pace(connections=1))

    assert set(clock.slept) == {0}


def test_so_many_requests_run_at_once_and_no_more() -> None:
    inside, most, lock, together = 0, 0, threading.Lock(), threading.Barrier(2, timeout=60)

    def request() -> None:
        nonlocal inside, most
        with turn("127.0.0.1", 80, Pace(connections=2)):
            with lock:
                inside += 1
                most = max(most, inside)
            together.wait()
            threading.Event().wait(0.02)  # for a third one that should not come
            with lock:
                inside -= 1

    threads = [threading.Thread(target=request) for _thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 2


def test_hosts_that_nobody_waits_for_are_forgotten(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "REMEMBERED", 10)

    for number in range(50):
        clock.now += 1
        ask(f"{number}.example")

    assert len(pacing._hosts) <= 10


@pytest.fixture
def elsewhere(server: FeedServer, monkeypatch: pytest.MonkeyPatch) -> FeedServer:
    """The server under a name that is not this machine's."""
    monkeypatch.setattr(network, "resolve", lambda host, port: ["127.0.0.1"])
    return server


def test_retry_after_lets_the_host_rest_for_all(elsewhere: FeedServer) -> None:
    elsewhere.serve("/busy", status=429, headers={"Retry-After": "600"})
    elsewhere.serve("/other", b"x")

    with pytest.raises(http.BadStatus):
        http.fetch(elsewhere.url("/busy", "a.example"))
    with pytest.raises(http.HostRests) as raised:
        http.fetch(elsewhere.url("/other", "a.example"))

    assert raised.value.wait == timedelta(minutes=10)
    assert [request.path for request in elsewhere.requests] == ["/busy"]


@pytest.mark.django_db
def test_a_source_whose_host_rests_has_not_failed(elsewhere: FeedServer) -> None:
    asked = SourceFactory(url=elsewhere.url("/feed", "a.example"))
    pacing.rest("a.example", elsewhere.port, timedelta(minutes=10))

    ingest([asked])

    source = Source.objects.get()
    assert (source.consecutive_failures, source.last_error) == (0, "")
    assert not Source.objects.due().exists()
