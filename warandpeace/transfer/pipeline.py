"""Reading, writing and proving at the same time, with never more than a few blocks between them.

Whoever writes or proves waits for the database most of the time, and what Python does for that is little, since rows
travel by the column. So threads are enough: one converts, two write, one proves. Two, so that the server has rows to
store from one connection while the other begins, commits, or waits for its turn.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from itertools import cycle
from typing import TypeVar

from warandpeace.transfer.blocks import Block
from warandpeace.transfer.proof import Proved
from warandpeace.transfer.reconcile import Written
from warandpeace.transfer.target import Target

BLOCKS_IN_FLIGHT = 3
WRITERS = 2  # connections to a server
# Seconds for which the thread that converts may keep another from sending a piece that is ready. Python's own five
# milliseconds are longer than the server takes for it: it would wait, piece by piece, with nothing to do.
LONGEST_TURN = 0.0005

Write = Callable[[Block], Written]
Prove = Callable[[Written], Proved]
IsFree = Callable[[Block], bool]
Thing = TypeVar("Thing")


def pump(blocks: Iterable[Block], target: Target, write: Write, prove: Prove, is_free: IsFree) -> Iterator[Proved]:
    """Write blocks while the next is converted, and prove each on another connection while later ones are written.

    A free block needs nothing of those before it, and a server writes two such at a time; any other waits until all
    before it are there. An error in any thread ends all; a block is in the target with its checkpoint or not at all.
    """
    with ExitStack() as stack:
        if target.is_server:
            stack.enter_context(_short_turns())
        count = WRITERS if target.is_server else 1
        writers = [stack.enter_context(thread_of(target, target.open_writer)) for _ in range(count)]
        prover = stack.enter_context(thread_of(target, target.open_reader))
        writing, flying = deque[Future[Written]](maxlen=count), deque[Future[Proved]]()
        for block, writer in zip(blocks, cycle(writers), strict=False):
            if count > 1 and not is_free(block):
                wait(writing)
            writing.append(writer.submit(write, block))
            flying.append(prover.submit(_after, writing[-1], prove))
            if len(flying) == BLOCKS_IN_FLIGHT:
                yield flying.popleft().result()
        while flying:
            yield flying.popleft().result()


def from_both_ends(target: Target, things: Sequence[Thing], do: Callable[[Thing], None]) -> None:
    """Do each thing once; a server does two at a time: one connection begins with the first, another with the last.

    What lies side by side tends to want the same table for itself; so the two meet as late as they can.
    """
    if not target.is_server:
        for thing in things:
            do(thing)
        return
    waiting = deque(things)
    with ExitStack() as stack:
        threads = [stack.enter_context(thread_of(target, target.open_writer)) for _ in range(2)]
        ends = zip(threads, (waiting.popleft, waiting.pop), strict=True)
        for done in [thread.submit(_one_after_the_other, take, do) for thread, take in ends]:
            done.result()


def _one_after_the_other(take: Callable[[], Thing], do: Callable[[Thing], None]) -> None:
    while True:
        try:
            thing = take()
        except IndexError:
            return
        do(thing)


@contextmanager
def _short_turns() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(LONGEST_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _after(written: Future[Written], prove: Prove) -> Proved:
    return prove(written.result())


@contextmanager
def thread_of(target: Target, begin: Callable[[], None]) -> Iterator[ThreadPoolExecutor]:
    """A thread of its own for a connection of its own."""
    executor = ThreadPoolExecutor(1)
    try:
        executor.submit(begin).result()
        yield executor
    finally:
        executor.submit(target.close).result()
        executor.shutdown(cancel_futures=True)
