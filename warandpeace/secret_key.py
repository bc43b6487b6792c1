"""The key that signs sessions and tokens: a strong one, or none."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

SHORTEST, FEWEST_CHARACTERS = 50, 10


def is_weak(key: str) -> bool:
    """Whether somebody might guess it, or knows it from an example."""
    return len(key) < SHORTEST or len(set(key)) < FEWEST_CHARACTERS or "insecure" in key


def own(path: Path) -> str:
    """The embedded default's secret key: made at random on the first start, kept in a file only its owner can read."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50))
    return path.read_text()
