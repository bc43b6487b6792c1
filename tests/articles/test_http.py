"""http: one door, bounded in time, size, redirects and connections, and shut to private addresses."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from unittest.mock import Mock

import pytest
from django.conf import settings as django_settings
from django.utils import translation
from prometheus_client import REGISTRY
from pytest_django import DjangoAssertNumQueries, Settings

from articles import http, network
from tests.fakes.feed_server import FeedServer
from usage.models import SessionStatsDaily


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


def test_an_answer_comes_with_body_headers_and_address(server: FeedServer) -> None:
    url = server.serve("/page", "Привет".encode(), content_type="text/html", headers={"X-Kind": "page"})

    response = http.fetch(url)

    assert (response.status, response.url, response.body.decode()) == (200, url, "Привет")
    assert response.headers["x-kind"] == "page"


def test_the_user_agent_names_us(server: FeedServer) -> None:
    http.fetch(server.serve("/page"))

    assert server.requests[0].headers["User-Agent"] == django_settings.FETCH_USER_AGENT


def test_validators_bring_304_without_a_body(server: FeedServer) -> None:
    url = server.serve("/feed", b"<rss/>", etag='"1"', last_modified="Sun, 22 Nov 2026 10:00:00 GMT")

    responses = [
        http.fetch(url, etag='"1"'),
        http.fetch(url, last_modified="Sun, 22 Nov 2026 10:00:00 GMT"),
    ]

    assert [(response.not_modified, response.body) for response in responses] == [(True, b"")] * 2


def test_what_is_said_of_a_body_that_does_not_come_means_nothing(server: FeedServer) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Length": "999999999"}
    url = server.serve("/feed", gzip.compress(b"<rss/>"), etag='"1"', headers=headers)

    assert http.fetch(url, etag='"1"').not_modified


def test_one_connection_serves_one_request_after_another(server: FeedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    url = server.serve("/feed", b"<rss/>", etag='"1"')
    looked_up: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return [host]

    monkeypatch.setattr(network, "resolve", resolve)

    for etag in ("", '"1"', ""):
        http.fetch(url, etag=etag)

    assert len(looked_up) == 1


@pytest.mark.parametrize(
    ("status", "error", "sentence"),
    [
        (404, http.Gone, "There is nothing at this address any more (404)."),
        (410, http.Gone, "There is nothing at this address any more (410)."),
        (403, http.BadStatus, "The server does not let us in (403)."),
        (429, http.BadStatus, "The server asks for fewer requests (429)."),
        (503, http.BadStatus, "The server has a problem of its own (503)."),
        (418, http.BadStatus, "The server answered with status 418."),
    ],
)
def test_a_bad_status_is_a_sentence(
    server: FeedServer, status: int, error: type[http.BadStatus], sentence: str
) -> None:
    url = server.serve("/page", b"x", status=status)

    with pytest.raises(error) as raised:
        http.fetch(url)

    assert (str(raised.value), raised.value.status, raised.value.code) == (sentence, status, f"HTTP {status}")


def test_retry_after_is_read_in_seconds_and_as_a_date(server: FeedServer) -> None:
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    waits = []

    for number, value in enumerate(["120", in_an_hour, "99999999", "soon"]):
        with pytest.raises(http.BadStatus) as raised:
            http.fetch(server.serve(f"/{number}", status=503, headers={"Retry-After": value}))
        waits.append(raised.value.retry_after)

    assert (waits[0], waits[2], waits[3]) == (timedelta(minutes=2), timedelta(days=1), None)
    assert waits[1] is not None
    assert timedelta(minutes=59) < waits[1] <= timedelta(hours=1)


def test_redirects_are_followed_to_where_they_end(server: FeedServer) -> None:
    end = server.serve("/c", b"here")
    server.serve("/b", status=302, headers={"Location": end})
    start = server.serve("/a", status=301, headers={"Location": "/b"})

    response = http.fetch(start)

    assert (response.url, response.body) == (end, b"here")


def test_endless_redirects_end(server: FeedServer) -> None:
    url = server.serve("/a", status=302, headers={"Location": "/a"})

    with pytest.raises(http.TooManyRedirects):
        http.fetch(url)

    assert len(server.requests) == http.MAX_REDIRECTS + 1


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://news.example/", "mailto:a@b.example", "http://[::1"])
def test_a_redirect_away_from_the_web_is_refused(server: FeedServer, location: str) -> None:
    url = server.serve("/a", status=302, headers={"Location": location})

    with pytest.raises(http.AddressRefused):
        http.fetch(url)


@pytest.mark.parametrize(
    "url",
    ["", "news", "ftp://news.example/", "http://", "http://a:b", "http://\x00/", "http://[::1", "http://127.0.0.1:25/"],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(http.AddressRefused):
        http.fetch(url)


@pytest.mark.parametrize("headers", [{}, {"Connection": "close"}])
def test_a_long_answer_is_refused_whether_it_tells_its_length_or_not(
    server: FeedServer, headers: dict[str, str]
) -> None:
    url = server.serve("/huge", b"x" * 5000, headers=headers)

    with pytest.raises(http.TooLarge, match="larger than 1000 bytes"):
        http.fetch(url, max_bytes=1000)


def test_a_compressed_answer_is_decoded(server: FeedServer) -> None:
    url = server.serve("/zip", gzip.compress(b"news" * 100), headers={"Content-Encoding": "gzip"})

    assert http.fetch(url).body == b"news" * 100


def test_a_gzip_bomb_is_too_large_and_never_unpacked(server: FeedServer) -> None:
    url = server.serve("/bomb", gzip.compress(bytes(50_000_000)), headers={"Content-Encoding": "gzip"})
    tracemalloc.start()

    with pytest.raises(http.TooLarge):
        http.fetch(url, max_bytes=100_000)

    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize(
    ("head", "filling"),
    [
        (gzip.compress(b"news"), b"behind"),
        (b"\x1f\x8b\x08\x00" + bytes(5) + b"\x03", b"\x00\x00\x00\xff\xff"),
        (b"\x1f\x8b\x08\x08" + bytes(5) + b"\x03", b"name"),
    ],
    ids=["behind its end", "empty blocks", "a name without end"],
)
def test_what_unpacks_to_nothing_is_limited_as_well(server: FeedServer, head: bytes, filling: bytes) -> None:
    headers = {"Content-Encoding": "gzip", "Connection": "close"}
    url = server.serve("/zip", head + filling * 50_000, headers=headers)

    with pytest.raises(http.TooLarge):
        http.fetch(url, max_bytes=100_000)


@pytest.mark.parametrize(
    ("body", "coding"),
    [(b"plain", "gzip"), (gzip.compress(b"news" * 100, mtime=0)[:-9], "gzip"), (b"x", "br"), (b"", "gzip")],
)
def test_a_broken_or_unknown_compression_is_an_error(server: FeedServer, body: bytes, coding: str) -> None:
    url = server.serve("/zip", body, headers={"Content-Encoding": coding})

    with pytest.raises(http.Undecodable):
        http.fetch(url)


def test_a_connection_that_breaks_off_is_an_error(server: FeedServer) -> None:
    url = server.serve("/cut", b"x" * 1000, cut=500)

    with pytest.raises(http.Unreachable, match="broke off"):
        http.fetch(url)


def test_an_answer_that_trickles_ends_at_the_deadline(server: FeedServer) -> None:
    url = server.serve("/slow", b"x" * 1000, piece=1, piece_delay=0.05)

    with pytest.raises(http.TimedOut):
        http.fetch(url, deadline=0.5)


def test_headers_that_trickle_end_at_the_deadline() -> None:
    """A slow loris from the other side: the next byte always comes, the end never does."""

    def trickle(listener: socket.socket) -> None:
        connection, _address = listener.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Kind: ")
            while True:
                connection.sendall(b"x")
                time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=trickle, args=[listener], daemon=True).start()

        with pytest.raises(http.TimedOut):
            http.fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/", deadline=0.5)


def test_a_silent_server_is_left_at_the_deadline(server: FeedServer) -> None:
    url = server.serve("/silent", b"x", delay=5)

    with pytest.raises(http.TimedOut):
        http.fetch(url, deadline=0.3)


def test_a_refused_connection_is_told_apart() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]

    with pytest.raises(http.Unreachable, match="refused"):
        http.fetch(f"http://127.0.0.1:{port}/")


def test_an_unknown_host_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Mock(side_effect=socket.gaierror(socket.EAI_NONAME, "unknown")))

    with pytest.raises(http.Unreachable, match="no server of this name"):
        http.fetch("http://nowhere.invalid/")


def test_a_server_without_tls_is_told_apart(server: FeedServer) -> None:
    with pytest.raises(http.Unreachable, match="TLS"):
        http.fetch(server.url("/").replace("http:", "https:"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_private_addresses_are_refused_under_any_name(server: FeedServer, settings: Settings, host: str) -> None:
    settings.FETCH_ALLOW_PRIVATE = False
    server.serve("/secret", b"secret")

    with pytest.raises(http.AddressRefused, match="private network"):
        http.fetch(server.url("/secret", host))

    assert not server.requests


def test_a_redirect_into_a_private_network_is_refused(server: FeedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = server.serve("/secret", b"secret")
    start = server.serve("/a", status=302, headers={"Location": secret.replace("127.0.0.1", "localhost")})
    monkeypatch.setattr(network, "resolve", lambda host, port: ["10.0.0.7"] if host == "localhost" else [host])
    monkeypatch.setattr(network, "may_reach", lambda address: address == "127.0.0.1")

    with pytest.raises(http.AddressRefused):
        http.fetch(start)

    assert [request.path for request in server.requests] == ["/a"]


def test_the_connection_goes_to_the_address_that_was_judged(
    server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "resolve", lambda host, port: ["10.0.0.7", "127.0.0.1"])
    monkeypatch.setattr(network, "may_reach", lambda address: address == "127.0.0.1")
    server.serve("/page", b"judged")

    assert http.fetch(server.url("/page", "news.invalid")).body == b"judged"


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "100.100.100.200", "0.0.0.0",  # noqa: S104
        "168.63.129.16", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254",
        "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:5ef5:79fd:0:0:f5ff:fffe", "ff02::1",
        "::ffff:0:10.0.0.1", "::10.0.0.1", "64:ff9b:1::a00:1", "fec0::1", "5f00::1", "3fff::1", "192.0.0.8",
    ],
)  # fmt: skip
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not network.is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
def test_an_address_outside_is_public(address: str) -> None:
    assert network.is_public(address)


def test_proxies_of_the_environment_are_ignored(server: FeedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    assert http.fetch(server.serve("/page", b"direct")).body == b"direct"


def test_name_and_password_of_the_address_go_to_the_server_and_not_into_errors(server: FeedServer) -> None:
    url = server.serve("/paid", status=401).replace("http://", "http://reader:s%40cret@")

    with pytest.raises(http.BadStatus) as raised:
        http.fetch(url)

    assert server.requests[0].headers["Authorization"] == "Basic cmVhZGVyOnNAY3JldA=="
    assert "cret" not in str(raised.value)


def test_a_password_stays_with_its_server(server: FeedServer) -> None:
    end = server.serve("/end", b"x")
    url = server.serve("/paid", status=302, headers={"Location": end}).replace("http://", "http://reader:secret@")

    http.fetch(url)

    assert "Authorization" not in server.requests[1].headers


def test_requests_are_measured_under_bounded_labels(server: FeedServer) -> None:
    labels = {"target": "feed", "method": "GET", "status_group": "2xx"}
    before = REGISTRY.get_sample_value("external_http_requests_total", labels) or 0

    http.fetch(server.serve("/feed", b"<rss/>"), target="feed")

    assert REGISTRY.get_sample_value("external_http_requests_total", labels) == before + 1


@pytest.mark.django_db
def test_requests_are_counted_in_one_write(
    server: FeedServer, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    http.record_requests()
    before = sum(SessionStatsDaily.objects.values_list("http_requests", flat=True))
    url = server.serve("/page", b"x")
    with django_assert_max_num_queries(0):
        for _time in range(3):
            http.fetch(url)
        http.record_requests(at_least=4)

    http.record_requests()

    assert sum(SessionStatsDaily.objects.values_list("http_requests", flat=True)) == before + 3
