"""What the operator sees meanwhile: one line that is written over, on a terminal; nothing where there is none."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TextIO

SECONDS_BETWEEN = 0.2


class Progress:
    """Rows done of rows there are, rows a second, and the time left."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.is_shown = stream, stream.isatty()
        self.name, self.total, self.done = "", 0, 0
        self.began = self.shown = time.monotonic()

    def begin(self, name: str, total: int) -> None:
        self.name, self.total, self.done = name, total, 0
        self.began = time.monotonic()
        self._show()

    def advance(self, rows: int) -> None:
        self.done += rows
        if time.monotonic() - self.shown >= SECONDS_BETWEEN:
            self._show()

    def end(self) -> None:
        if self.is_shown:
            self.stream.write("\r\x1b[K")
            self.stream.flush()

    def _show(self) -> None:
        if not self.is_shown:
            return
        self.shown = time.monotonic()
        speed = self.done / max(self.shown - self.began, 0.001)
        left = timedelta(seconds=round((self.total - self.done) / speed)) if speed else "?"
        share = f"{self.done / self.total:.0%}" if self.total else ""
        self.stream.write(
            f"\r\x1b[K{self.name}: {self.done:,} of {self.total:,} {share}  {speed:,.0f} rows/s  {left} left"
        )
        self.stream.flush()
