"""Reading, writing and proving at the same time, with never more than a few blocks between them.

Where the target is a server, writing and proving are a process of their own: conversion is Python's work and takes one
processor, and whoever waits for the server would otherwise wait for that too. A file is written by threads.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection

from django.db import Error as DatabaseTrouble

from warandpeace.transfer.blocks import Block
from warandpeace.transfer.errors import TransferError
from warandpeace.transfer.parcels import no_more, receive, send, widen
from warandpeace.transfer.proof import Proved
from warandpeace.transfer.reconcile import Written
from warandpeace.transfer.target import Target

BLOCKS_IN_FLIGHT = 3
# A copy of this process as it is, with the writer and all it knows; Linux, macOS and the BSDs have it.
PROCESSES = multiprocessing.get_context("fork")

Write = Callable[[Block], Written]
Prove = Callable[[Written], Proved]


def pump(blocks: Iterable[Block], target: Target, write: Write, prove: Prove) -> Iterator[Proved]:
    """Write each block on one connection while the next is converted, and prove it on another while that is written.

    An error in any of the three ends all; a block is either in the target with its checkpoint or not there at all.
    """
    if target.is_server:
        return _through_process(blocks, target, write, prove)
    return _through_threads(blocks, target, write, prove)


def _through_threads(blocks: Iterable[Block], target: Target, write: Write, prove: Prove) -> Iterator[Proved]:
    with ExitStack() as stack:
        writer = stack.enter_context(_thread(target, target.open_writer))
        prover = stack.enter_context(_thread(target, target.open_reader))
        flying = deque[Future[Proved]]()
        for block in blocks:
            written = writer.submit(write, block)
            flying.append(prover.submit(_after, written, prove))
            if len(flying) == BLOCKS_IN_FLIGHT:
                yield flying.popleft().result()
        while flying:
            yield flying.popleft().result()


def _after(written: Future[Written], prove: Prove) -> Proved:
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


def _through_process(blocks: Iterable[Block], target: Target, write: Write, prove: Prove) -> Iterator[Proved]:
    """Blocks go down one pipe, which holds the reader back when it is full; what was proved comes up another."""
    (inbox, outbox), (results, answers) = PROCESSES.Pipe(duplex=False), PROCESSES.Pipe(duplex=False)
    widen(outbox)

    def work() -> None:
        outbox.close()
        results.close()
        _answer(inbox, answers, target, write, prove)

    process = PROCESSES.Process(target=work)
    process.start()
    inbox.close()
    answers.close()
    try:
        with outbox:
            for block in blocks:
                send(outbox, block)
                while results.poll() and (proved := _received(results)) is not None:
                    yield proved
            no_more(outbox)
        while (proved := _received(results)) is not None:
            yield proved
    except BrokenPipeError:
        _received(results)
        raise
    finally:
        results.close()
        process.join()


def _received(results: Connection) -> Proved | None:
    """The next answer; None is the last one. Raises what ended the other process."""
    try:
        answer = results.recv()
    except EOFError:
        raise TransferError("The writing process has ended: see the log of the system; then run this again.") from None
    if isinstance(answer, Exception):
        raise answer
    proved: Proved | None = answer
    return proved


def _answer(inbox: Connection, answers: Connection, target: Target, write: Write, prove: Prove) -> None:
    """The other process: it ends with its last block, or at once when nobody sends any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        for proved in _through_threads(_sent(inbox), target, write, prove):
            answers.send(proved)
        answers.send(None)
    except (DatabaseTrouble, TransferError) as error:
        answers.send(error.with_traceback(None))
    except BrokenPipeError:
        os._exit(1)


def _sent(inbox: Connection) -> Iterator[Block]:
    try:
        while (block := receive(inbox)) is not None:
            yield block
    except EOFError:
        os._exit(1)
