"""Files below VAR_DIR that the processes of this machine share: opened for a moment, and locked meanwhile."""

from __future__ import annotations

from io import FileIO
from pathlib import Path


def opened(path: Path) -> FileIO:
    """The file for reading and writing, made with its folder where it isn't there yet. Raises OSError."""
    try:
        return path.open("rb+", buffering=0)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return path.open("rb+", buffering=0)
