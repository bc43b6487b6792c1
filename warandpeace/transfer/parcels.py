"""A block on its way to the writing process: what is small is pickled, the rows go through the pipe as they are."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from warandpeace.transfer.blocks import Block
from warandpeace.transfer.tables import Packed, Row, Table

# One row is ready to be sent on: its key's values and fields, how long it is, and what stands for its values.
Label = tuple[Row, bytes, int, bytes]
Labelled = list[tuple[Table, list[Label]]]

PIPE_BYTES = 1 << 20  # what Linux lets everybody have; the fewer pieces a block comes in, the less the two wait


def widen(pipe: Connection) -> None:
    """Let as much into a pipe as the system allows; where it can't be asked for, the pipe stays as it is."""
    if sys.platform == "linux":
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def send(pipe: Connection, block: Block) -> None:
    """Only a server is written to through a pipe: of a row's values it needs none but the key's."""
    labelled: Labelled = [
        (table, [(packed.row[: len(table.key)], packed.key, len(packed.data), packed.digest) for packed in rows])
        for table, rows in block.rows.items()
    ]
    pipe.send((replace(block, rows={}), labelled))
    for rows in block.rows.values():
        if rows:
            pipe.send_bytes(b"".join([packed.data for packed in rows]))


def receive(pipe: Connection) -> Block | None:
    """The next block; None where the sender has said that there is no more. Raises EOFError when it is gone."""
    parcel: tuple[Block, Labelled] | None = pipe.recv()
    if parcel is None:
        return None
    block, labelled = parcel
    for table, labels in labelled:
        block.rows[table] = list(_unpacked(labels, pipe.recv_bytes())) if labels else []
    return block


def _unpacked(labels: list[Label], together: bytes) -> Iterator[Packed]:
    data, end = memoryview(together), 0
    for row, key, size, digest in labels:
        begin, end = end, end + size
        yield Packed(row, data[begin:end], key, digest)


def no_more(pipe: Connection) -> None:
    nothing: Any = None
    pipe.send(nothing)
