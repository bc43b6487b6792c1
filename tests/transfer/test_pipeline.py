"""Blocks on their way: those that need nothing of each other are written two at a time."""

from __future__ import annotations

import time
from threading import Barrier
from typing import Any

from warandpeace.transfer.pipeline import pump


class Server:
    """A target that has connections, and nothing else."""

    is_server = True

    def open_writer(self) -> None: ...

    def open_reader(self) -> None: ...

    def close(self) -> None: ...


def test_free_blocks_are_written_two_at_a_time_and_others_when_all_before_them_are_there() -> None:
    server: Any = Server()
    blocks: Any = ["free 1", "free 2", "bound", "free 3", "free 4"]
    together, there, found = Barrier(2, timeout=60), list[str](), list[str]()

    def write(block: Any) -> Any:
        if block == "bound":
            found.extend(there)
        else:
            together.wait()
        time.sleep(0.05 if block == "free 2" else 0)
        there.append(block)
        return block

    def prove(written: Any) -> Any:
        return written

    proved = list(pump(blocks, server, write, prove, lambda block: block is not blocks[2]))

    assert proved == blocks
    assert sorted(found) == ["free 1", "free 2"]
