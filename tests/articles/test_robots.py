"""robots.txt: what it opens and shuts, and how often it is asked for."""

from __future__ import annotations

import pytest

from articles import robots
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
