"""What a transfer wrote last, in sixteen bytes a row: eight that name the row, eight that stand for its values."""

from __future__ import annotations

from hashlib import sha256

from warandpeace.transfer.blocks import Block
from warandpeace.transfer.tables import DIGEST_BYTES, Packed, Table

WIDTH = 2 * DIGEST_BYTES


def name_of(table: Table, key: bytes) -> bytes:
    return sha256(table.name.encode() + key).digest()[:DIGEST_BYTES]


def marks_of(block: Block) -> dict[bytes, bytes]:
    return {name_of(table, packed.key): packed.digest for table, rows in block.rows.items() for packed in rows}


def mark(table: Table, packed: Packed) -> tuple[bytes, bytes]:
    return name_of(table, packed.key), packed.digest


def pack_marks(marks: dict[bytes, bytes]) -> bytes:
    return b"".join(name + marks[name] for name in sorted(marks))


def unpack_marks(data: bytes) -> dict[bytes, bytes]:
    pairs = (data[at : at + WIDTH] for at in range(0, len(data), WIDTH))
    return {pair[:DIGEST_BYTES]: pair[DIGEST_BYTES:] for pair in pairs}


def checksum(marks: dict[bytes, bytes]) -> str:
    """The checksum of a block: the same for the same rows in any order, on any engine."""
    return sha256(pack_marks(marks)).hexdigest()[:32]
