"""Ties a process to the `run` command that started it, so that none outlives it, whatever kills it.

The command holds the writing end of a pipe, each child the reading end. Nothing is ever written: the kernel closes the
pipe when the command is gone, even after kill -9, and the child ends its whole process group.
"""

from __future__ import annotations

import os
import signal
import threading
import time

VARIABLE = "LIFELINE_FD"

# Between asking the group to end and killing it, in seconds.
GRACE = 3.0


def watch() -> None:
    """Follow the lifeline in a thread, if this process was given one."""
    descriptor = os.environ.pop(VARIABLE, "")
    if descriptor:
        threading.Thread(target=_end_with, args=[int(descriptor)], name="lifeline", daemon=True).start()


def _end_with(descriptor: int) -> None:
    os.read(descriptor, 1)
    os.killpg(os.getpgrp(), signal.SIGTERM)
    time.sleep(GRACE)
    os.killpg(os.getpgrp(), signal.SIGKILL)
