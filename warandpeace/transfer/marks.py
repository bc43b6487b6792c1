"""What a transfer wrote last, in sixteen bytes a row: eight that name the row, eight that stand for its values."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from operator import add

from warandpeace.transfer.blocks import Block
from warandpeace.transfer.tables import DIGEST_BYTES, Packed, Table

WIDTH = 2 * DIGEST_BYTES
ROWS_IN_FLIGHT = 8192  # a row's name is asked for when it is written and when it is proved


@lru_cache(maxsize=ROWS_IN_FLIGHT)
def name_of(table: Table, key: bytes) -> bytes:
    return sha256(table.name.encode() + key).digest()[:DIGEST_BYTES]


def marks_of(block: Block) -> dict[bytes, bytes]:
    return {name_of(table, packed.key): packed.digest for table, rows in block.rows.items() for packed in rows}


def mark(table: Table, packed: Packed) -> tuple[bytes, bytes]:
    return name_of(table, packed.key), packed.digest


def pack_marks(marks: dict[bytes, bytes]) -> bytes:
    return b"".join(map(add, *zip(*sorted(marks.items()), strict=True))) if marks else b""


def unpack_marks(data: bytes) -> dict[bytes, bytes]:
    pairs = (data[at : at + WIDTH] for at in range(0, len(data), WIDTH))
    return {pair[:DIGEST_BYTES]: pair[DIGEST_BYTES:] for pair in pairs}


def checksum(marks: dict[bytes, bytes]) -> str:
    """The checksum of a block: the same for the same rows in any order, on any engine."""
    return checksum_of(pack_marks(marks))


def checksum_of(packed_marks: bytes) -> str:
    return sha256(packed_marks).hexdigest()[:32]
