"""A process that lives but gets nothing done is ended, and says where it hung."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from usage.watchdog import Watchdog, Work

PROGRAM = """
import re, threading, time
from usage.watchdog import Watchdog, Work

work = Work(longest=0.2)

begun, watched = threading.Event(), threading.Event()

def hang():
    with work.job():
        begun.set()
        watched.wait()
        {hang}

threading.Thread(target=hang, daemon=True).start()
begun.wait()
Watchdog(work, places={places}, silence={silence}).start(pulse=0.1, timer={timer})
watched.set()
time.sleep({lives})
"""


def run(
    hang: str = "time.sleep(600)",
    *,
    places: int = 1,
    silence: float | None = None,
    lives: float = 500,
    timer: float = 1,
) -> str:
    """What the program printed before it was ended; empty if it came to its own end."""
    program = PROGRAM.format(hang=hang, places=places, silence=silence, lives=lives, timer=timer)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def test_a_process_all_of_whose_places_hang_is_ended_and_says_where():
    assert "in hang" in run()


def test_one_hung_job_among_free_places_ends_nothing():
    assert run(places=2, lives=2, timer=600) == ""


def test_a_process_that_ends_no_job_for_too_long_is_ended():
    assert "in hang" in run(places=2, silence=0.3)


def test_code_that_never_lets_the_interpreter_go_is_ended_too():
    assert "in hang" in run(hang='re.match("(a*)*b", "a" * 40)', places=9)


@pytest.mark.parametrize(("age", "hung"), [(899, 0), (901, 1)])
def test_a_job_hangs_after_a_quarter_of_an_hour(age, hung):
    work = Work()
    work.begin()

    assert work.hung(time.monotonic() + age) == hung


def test_a_job_that_fails_is_over():
    work = Work()
    with pytest.raises(ValueError, match="bad"), work.job():
        raise ValueError("bad")

    assert not Watchdog(work, places=1).is_stuck(time.monotonic() + 10_000)
