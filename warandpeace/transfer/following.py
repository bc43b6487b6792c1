"""What this program makes of the rows it has: filled after they are proved, each with its own progress and time.

Nothing of it is the truth: it can be made anew at any time, and a worker or another run goes on where this one stopped.
So it is no part of the proof, and its time is told apart from the transfer's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS, connections

from articles import indexing
from articles.duplicates import rebuilding
from articles.duplicates.placing import Placed
from warandpeace.transfer.progress import Progress
from warandpeace.transfer.target import Target

Advance = Callable[[int], None]
ShouldStop = Callable[[], bool]


@dataclass(frozen=True)
class Follower:
    """`waiting` says how many rows there are to do; `follow` does them, and tells of each few that are done."""

    name: str
    waiting: Callable[[], int]
    follow: Callable[[Advance, ShouldStop], object]


@dataclass(frozen=True)
class Followed:
    name: str
    rows: int
    seconds: float


def _index(advance: Advance, should_stop: ShouldStop) -> object:
    return indexing.catch_up(progress=advance, should_stop=should_stop)


def _compare(advance: Advance, should_stop: ShouldStop) -> object:
    told = 0

    def tell(done: Placed) -> None:
        nonlocal told
        advance(done.articles - told)
        told = done.articles

    return rebuilding.rebuild(tell, should_stop=should_stop)


FOLLOWERS = (
    Follower("search index", indexing.waiting, _index),
    Follower("stories", lambda: rebuilding.to_rebuild().count(), _compare),
)


def follow(target: Target, progress: Progress, should_stop: ShouldStop) -> Iterator[Followed]:
    """Fill in the target what follows from its rows; each follower ends early when it should stop."""
    with _as_configured(target):
        for follower in FOLLOWERS:
            began, waiting = time.monotonic(), follower.waiting()
            if not waiting or should_stop():
                continue
            progress.begin(follower.name, waiting)
            follower.follow(progress.advance, should_stop)
            progress.end()
            yield Followed(follower.name, waiting - follower.waiting(), time.monotonic() - began)


@contextmanager
def _as_configured(target: Target) -> Iterator[None]:
    """Let the apps, which know one database only, find the target in its place: in this thread, for this while."""
    before = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = connections[target.alias]
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = before
