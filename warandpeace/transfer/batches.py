"""Rows of one table on their way: all together as COPY is sent them, one by one only where a row is in question."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from struct import Struct
from typing import Any

DIGEST_BYTES = 8
MARK_BYTES = 2 * DIGEST_BYTES
_small_count, _length = Struct("!h").unpack_from, Struct("!i").unpack_from

Row = tuple[Any, ...]
# What was written of a row, in sixteen bytes: eight that name it, eight that stand for its values.
Mark = bytes
# Names, each with what stands for the values.
Marks = dict[bytes, bytes]


def digest(data: bytes) -> bytes:
    return sha256(data).digest()[:DIGEST_BYTES]


def name_in(mark: Mark) -> bytes:
    return mark[:DIGEST_BYTES]


def digest_in(mark: Mark) -> bytes:
    return mark[DIGEST_BYTES:]


@dataclass
class Batch:
    """`rows` are their values, the key's first, and `data` what COPY is sent of them, in pieces of one or more rows."""

    rows: list[Row] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.marks)

    def add(self, other: Batch) -> None:
        self.rows += other.rows
        self.data += other.data
        self.marks += other.marks

    def only(self, places: Collection[int]) -> Batch:
        """Some of the rows, in the order of the places."""
        data = list(_one_by_one(self.data))
        return Batch(
            [self.rows[place] for place in places],
            [data[place] for place in places],
            [self.marks[place] for place in places],
        )

    def slim(self, width: int) -> Batch:
        """What is needed to prove rows that are written: the first values of each, and the marks."""
        return Batch([row[:width] for row in self.rows], [], self.marks)

    def checksum(self) -> bytes:
        """The SHA-256 of what stands for the rows' values, sorted: the same whatever the order of the rows."""
        return sha256(b"".join(sorted(map(digest_in, self.marks)))).digest()


def _one_by_one(pieces: Sequence[bytes]) -> Iterator[bytes]:
    """Each row by itself: a small count of fields, and before each field its length, -1 for NULL."""
    for data in pieces:
        end = 0
        while end < len(data):
            begin, (fields,) = end, _small_count(data, end)
            end += 2
            for _ in range(fields):
                end += 4 + max(_length(data, end)[0], 0)
            yield data[begin:end]


def pack_marks(marks: Collection[Mark]) -> bytes:
    return b"".join(sorted(marks))


def unpack_marks(data: bytes) -> Marks:
    marks = (data[at : at + MARK_BYTES] for at in range(0, len(data), MARK_BYTES))
    return {name_in(mark): digest_in(mark) for mark in marks}


def checksum_of(packed_marks: bytes) -> str:
    """The checksum of a block: the same for the same rows in any order, on any engine."""
    return sha256(packed_marks).hexdigest()[:32]
