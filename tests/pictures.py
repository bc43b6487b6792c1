"""Pictures for tests, made here: whole ones that a browser shows, and headers of others."""

from __future__ import annotations

import struct
import zlib


def png(width: int, height: int) -> bytes:
    """A whole picture: the sky above a field, in as few bytes as it takes."""
    sky, field = b"\x6b\x9f\xd4" * width, b"\xc9\xb0\x45" * width
    rows = b"".join(b"\x00" + (sky if row * 5 < height * 3 else field) for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, chunks))


def _chunk(named: tuple[bytes, bytes]) -> bytes:
    kind, data = named
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpeg_header(width: int, height: int) -> bytes:
    """What a JPEG begins with, as far as its size; there is no picture behind it."""
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes(9)
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xc0\x00\x11" + frame + b"\xff\xd9"


def webp_header(width: int, height: int) -> bytes:
    """What a WebP (extended format) begins with, as far as its size."""
    canvas = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    inside = b"WEBPVP8X" + struct.pack("<I", len(canvas)) + canvas
    return b"RIFF" + struct.pack("<I", len(inside)) + inside
