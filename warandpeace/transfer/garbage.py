"""Python's search for garbage that refers to itself, kept away from what will never be garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# A block makes some ten thousand things and lets go of them; none of them refer to each other in circles.
THINGS_BETWEEN_LOOKS = 200_000


@contextmanager
def looked_for_rarely() -> Iterator[None]:
    """Leave what is loaded by now out of every search, and search less often: a fifth of the time otherwise."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(THINGS_BETWEEN_LOOKS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
