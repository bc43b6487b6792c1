"""Signatures: 64 MinHashes of a text's shingles, as bands to find it by and as a sketch to compare it by. Pure.

The same text has the same signature in every process, on every machine, for as long as `VERSION` is the same: it
changes with the settings below, and with the algorithm of rensa.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from operator import eq
from typing import NamedTuple
from zlib import crc32

from rensa import RMinHash

SEED = 20_261_122
# Two texts that share 35 % of their shingles have a band in common in 985 of 1,000 cases (tests/bench/duplicates.py
# draws the whole curve), those that share 1 % in 3 of 1,000.
BANDS = 32
ROWS = 2
HASHES = BANDS * ROWS
# Rises when anything here or in the shingles changes; the algorithm's own version is added.
OURS = 1
VERSION = OURS * 1_000 + RMinHash.ALGORITHM_VERSION

# A text of fewer shingles says too little: half of it may be a phrase that many use.
FEWEST_SHINGLES = 12
# Two texts whose sketches agree in fewer places share less than 35 %, but for 1 in 2,000 cases.
LEAST_AGREEMENT = 11

_digest = struct.Struct(f"<{HASHES}I")
_TO_SIGNED = 1 << 31


class Signed(NamedTuple):
    """A signature: 64 bytes, and 32 numbers of 32 bits with a sign. Both are empty for a text that says too little."""

    sketch: bytes
    bands: tuple[int, ...]


UNSIGNED = Signed(b"", ())


def sign(texts: Sequence[Iterable[str]]) -> list[Signed]:
    """The signatures of texts given as their shingles."""
    sets = [list(text) for text in texts]
    enough = [shingles for shingles in sets if len(shingles) >= FEWEST_SHINGLES]
    digests = RMinHash.digest_matrix_from_token_sets(enough, HASHES, SEED).to_rows() if enough else []
    signed = iter([of_hashes(digest) for digest in digests])
    return [next(signed) if len(shingles) >= FEWEST_SHINGLES else UNSIGNED for shingles in sets]


def of_hashes(digest: Sequence[int]) -> Signed:
    """The signature of 64 MinHashes of 32 bits."""
    data, width = _digest.pack(*digest), 4 * ROWS
    # The number of the band is part of it: what one band says is not mistaken for what another says.
    bands = (crc32(data[band * width : (band + 1) * width], band) - _TO_SIGNED for band in range(BANDS))
    return Signed(data[::4], tuple(bands))


def agreement(one: bytes, other: bytes) -> int:
    """In how many of their 64 places two sketches agree: about as many 64ths as their texts share."""
    return sum(map(eq, one, other))
