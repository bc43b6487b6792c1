"""Reading, writing and proving at the same time: three threads, and never more than a few blocks between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from warandpeace.transfer.blocks import Block
from warandpeace.transfer.proof import Proved
from warandpeace.transfer.reconcile import Written
from warandpeace.transfer.target import Target

BLOCKS_IN_FLIGHT = 3


def pump(
    blocks: Iterable[Block],
    target: Target,
    write: Callable[[Block], Written],
    prove: Callable[[Written], Proved],
) -> Iterator[Proved]:
    """Write each block on one connection while the next is converted, and prove it on another while that is written.

    An error in any of the three ends all; a block is either in the target with its checkpoint or not there at all.
    """
    with ExitStack() as stack:
        writer = stack.enter_context(_thread(target, target.open_writer))
        prover = stack.enter_context(_thread(target, target.connection.ensure_connection))
        flying = deque[Future[Proved]]()
        for block in blocks:
            written = writer.submit(write, block)
            flying.append(prover.submit(_after, written, prove))
            if len(flying) == BLOCKS_IN_FLIGHT:
                yield flying.popleft().result()
        while flying:
            yield flying.popleft().result()


def _after(written: Future[Written], prove: Callable[[Written], Proved]) -> Proved:
    return prove(written.result())


@contextmanager
def _thread(target: Target, begin: Callable[[], None]) -> Iterator[ThreadPoolExecutor]:
    """A thread of its own for a connection of its own."""
    executor = ThreadPoolExecutor(1)
    try:
        executor.submit(begin).result()
        yield executor
    finally:
        executor.submit(target.close).result()
        executor.shutdown(cancel_futures=True)
