"""Feeds that were made to break whoever reads them: each ends soon, in little memory, and harms no other."""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from articles import article_text, parsing
from articles.feeds import NotAFeed, Unreadable
from articles.figures import picture_of_page
from articles.parsing import Parsers, TooMuch
from articles.sites import pages, selectors
from articles.sites.pages import Circumstances
from articles.sites.presets import WARANDPEACE
from tests.fakes.feeds import items, rss

NOW = datetime(2026, 11, 22, tzinfo=UTC)
# Seconds of processor, so that it doesn't matter what else the machine has to do.
MOST_SECONDS = 10.0


@pytest.fixture(scope="module")
def parsers() -> Iterator[Parsers]:
    with Parsers(workers=1, seconds=1) as started:
        yield started


def spent() -> float:
    """Seconds of processor that the readers have had, those that have been ended included."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    stats = [Path(f"/proc/{child.pid}/stat").read_text() for child in multiprocessing.active_children()]
    ticks = sum(int(ticks) for stat in stats for ticks in stat.rpartition(")")[2].split()[11:13])
    return ended.ru_utime + ended.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def laughs(levels: int) -> bytes:
    """A billion laughs: entities that are made of entities."""
    nested = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, levels))
    return (
        f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a0 "ха">{nested}]>'
        f'<rss version="2.0"><channel><item><title>&a{levels - 1};!</title><link>https://a.example/1</link></item>'
        "</channel></rss>"
    ).encode()


def outside(address: str) -> bytes:
    """An entity that is to be fetched from somewhere."""
    return (
        f'<!DOCTYPE rss [<!ENTITY secret SYSTEM "{address}">]><rss version="2.0"><channel><item>'
        "<title>Тайна: &secret;</title><link>https://a.example/1</link></item></channel></rss>"
    ).encode()


HEAD = b'<rss version="2.0"><channel><item><title>'
HOSTILE: dict[str, bytes] = {
    "nested": HEAD + b"<a>" * 300_000,
    "attributes": HEAD + b"<b " + b" ".join(b'a%d="x"' % n for n in range(200_000)) + b">",
    "open quotes": HEAD + b'<a b="' * 50_000,
    "open tags": b"<" * 1_000_000,
    "comments": b"<!--" * 1_000_000,
    "declarations": b"<!DOCTYPE rss [" + b'<!ENTITY a "b">' * 300_000,
    "ampersands": HEAD + b"&" * 500_000,
    "references": HEAD + b"&#x41;" * 200_000,
    "instructions": b"<?a " * 500_000,
    "noise": bytes(range(256)) * 4000,
}
TOO_LONG = HEAD + b"x</title><description><![CDATA[" + b"<div>" * 100_000 + b"]]></description></item></channel></rss>"


def parse(parsers: Parsers, body: bytes) -> list[str]:
    return [entry.title for entry in parsers.parse(body, url="https://a.example/feed", now=NOW).entries]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_feed_ends_soon_and_the_next_one_is_read(parsers: Parsers, name: str) -> None:
    before = spent()

    with suppress(Unreadable):
        parse(parsers, HOSTILE[name])

    assert spent() - before < MOST_SECONDS
    assert len(parse(parsers, rss(items(3)))) == 3


def test_a_feed_that_takes_too_long_is_no_feed(parsers: Parsers) -> None:
    before = spent()

    with pytest.raises(NotAFeed):
        parse(parsers, TOO_LONG)

    assert spent() - before < MOST_SECONDS


def test_no_document_takes_more_than_ten_seconds_and_64_megabytes() -> None:
    """What a worker gets, and it once more alone, where the kernel had to end it."""
    assert 2 * (parsing.MOST_SECONDS + parsing.GRACE) <= 10
    assert parsing.MOST_MEMORY <= 64 * 2**20


# Reads a feed as a worker does, and prints by how many bytes its memory grew at most.
GROWTH = r"""
import re, sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from articles import feeds, parsing

def memory(name):
    return int(re.search(name + r":\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

feeds._feedparser()
parsing.begin()
before, body = memory("VmRSS"), sys.stdin.buffer.read()
try:
    parsing.within_limits(partial(feeds.parse, body, url="https://a.example/feed", now=datetime.now(UTC)), 5)
except (feeds.Unreadable, MemoryError, parsing.OutOfTime):
    pass
print(memory("VmHWM") - before - len(body))
"""


@pytest.mark.parametrize("name", ["nested", "attributes"])
def test_a_feed_gets_64_megabytes(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", GROWTH], input=HOSTILE[name], capture_output=True, check=True)

    # The file's own pages, which the limit doesn't count, are a few megabytes.
    assert int(done.stdout) < 72 * 2**20


@pytest.mark.parametrize("levels", [2, 12])
def test_entities_are_not_expanded(parsers: Parsers, levels: int) -> None:
    titles = parse(parsers, laughs(levels))

    assert "ха" not in "".join(titles)


@pytest.mark.parametrize(
    "before", [b"<!--" + b"x" * 30_000 + b"-->", b"<!DOCTYPE rss>"], ids=["comment", "another type"]
)
def test_entities_are_not_expanded_behind_anything_else(parsers: Parsers, before: bytes) -> None:
    titles: list[str] = []

    with suppress(NotAFeed):
        titles = parse(parsers, before + laughs(2).partition(b"?>")[2].replace(b"&a0;", b"x"))

    assert "xxx" not in "".join(titles)


def test_nothing_is_read_from_elsewhere(parsers: Parsers, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("пароль")

    assert "пароль" not in "".join(parse(parsers, outside(f"file://{secret}")))


def test_an_old_feed_with_a_document_type_is_read(parsers: Parsers) -> None:
    doctype = b'<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://a.example/rss-0.91.dtd">'
    body = rss(items(2)).replace(b"?>", b"?><!-- x -->\n" + doctype, 1)

    assert len(parse(parsers, body)) == 2


AROUND = Circumstances("https://a.example/news/", ZoneInfo("UTC"), NOW)
LIST = selectors.read(WARANDPEACE.selectors).list
FRAME = '<table border="0" align="center" cellspacing="0" width="100%">'
HOSTILE_READINGS: dict[str, Callable[[], Any]] = {
    "never comes back": partial(pages.read_list, "<div>" * 300_000, LIST, AROUND),
    "needs too much memory": partial(pages.read_list, FRAME * 50_000, LIST, AROUND),
    "takes its time": partial(article_text.find, "<p>a b c</p>" * 200_000, AROUND.url),
    "has no end": partial(picture_of_page, "<figure " + "a=b " * 200_000, AROUND.url),
}


@pytest.mark.parametrize("name", HOSTILE_READINGS)
def test_a_hostile_page_ends_soon_and_the_next_one_is_read(parsers: Parsers, name: str) -> None:
    before = spent()

    with suppress(TooMuch):
        parsers.run(HOSTILE_READINGS[name], needs=article_text.NEEDS)

    assert spent() - before < MOST_SECONDS
    assert parsers.run(partial(picture_of_page, "<figure><img src=/1.jpg></figure>", AROUND.url))
