"""robots.txt: what it opens and shuts, how slowly it wants to be asked, and what is done with a broken one."""

from __future__ import annotations

import pytest

from articles import http, robots
from articles.pacing import Pace
from tests.fakes.feed_server import FeedServer


@pytest.mark.parametrize(
    ("rules", "path", "is_open"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow: /a", "/a/b", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf", False),
        ("User-agent: WarAndPeace\nDisallow: /\n\nUser-agent: *\nAllow: /", "/a", False),
        ("\x00\xff<html>", "/a", True),
    ],
)
def test_robots_txt_opens_and_shuts(server: FeedServer, rules: str, path: str, is_open: bool) -> None:
    server.serve("/robots.txt", rules.encode())
    results = []

    try:
        robots.check(server.url(path))
        results.append(True)
    except robots.Disallowed:
        results.append(False)

    assert results == [is_open]


def test_robots_txt_is_asked_for_once_a_day(server: FeedServer) -> None:
    for path in ("/a", "/b", "/c"):
        robots.check(server.url(path))

    assert [request.path for request in server.requests] == ["/robots.txt"]


@pytest.mark.parametrize(
    ("delay", "pace", "expected"),
    [
        ("7", None, 7),
        ("7", Pace(3), 7),
        ("0.1", None, None),
        ("1", Pace(3), 3),
        ("86400", None, 60),
        ("soon", None, None),
    ],
)
def test_robots_txt_may_ask_for_longer_pauses(
    server: FeedServer, delay: str, pace: Pace | None, expected: float | None
) -> None:
    server.serve("/robots.txt", f"User-agent: *\nCrawl-delay: {delay}".encode())

    assert robots.check(server.url("/a"), pace).seconds == expected


def test_of_a_huge_robots_txt_the_beginning_is_read(server: FeedServer) -> None:
    server.serve("/robots.txt", b"User-agent: *\nDisallow: /a\n" + b"#" * 600_000)

    with pytest.raises(robots.Disallowed):
        robots.check(server.url("/a"))


def test_a_robots_txt_that_takes_too_much_shuts_its_site(server: FeedServer) -> None:
    groups = "".join(f"User-agent: {number}\n" for number in range(5000))
    server.serve("/robots.txt", (groups + "Disallow: /b\n" * 5000).encode())

    with pytest.raises(robots.Disallowed, match="robots"):
        robots.check(server.url("/a"))


def test_a_server_in_trouble_is_asked_for_its_robots_txt_again(server: FeedServer) -> None:
    server.serve("/robots.txt", status=503, headers={"Retry-After": "120"})

    with pytest.raises(http.BadStatus, match=r"robots\.txt: .*503"):
        robots.check(server.url("/a"))
    server.serve("/robots.txt")

    assert robots.check(server.url("/a")) == Pace()


def test_a_robots_txt_that_is_nowhere_shuts_nothing(server: FeedServer) -> None:
    server.serve("/robots.txt", status=302, headers={"Location": "/robots.txt"})

    assert robots.check(server.url("/a")) == Pace()
