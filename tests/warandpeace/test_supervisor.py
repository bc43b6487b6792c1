from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from warandpeace import supervisor
from warandpeace.supervisor import AlreadyRunning, Child, PortTaken, Printer, Supervisor

pytestmark = pytest.mark.usefixtures("signals_kept")

SLEEPING = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
]
# Shows life eight times, each time dated an hour later, many years ago.
BACKDATED = """
import os, time
open(os.environ["ALIVE_FILE"], "w").close()
for hour in range(8):
    os.utime(os.environ["ALIVE_FILE"], (hour * 3600, hour * 3600))
    time.sleep(0.2)
print("well", flush=True)
time.sleep(600)
"""
FAILING = [sys.executable, "-c", "raise SystemExit(7)"]


@pytest.fixture
def signals_kept():
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def run_until(children: list[Child], enough: Callable[[str], bool]) -> str:
    """Supervise until the output is enough, then end as Ctrl-C would; gives everything that was printed."""
    printed = io.StringIO()

    def is_ready() -> bool:
        if enough(printed.getvalue()):
            os.kill(os.getpid(), signal.SIGINT)
        return False

    Supervisor(children, Printer(printed)).run(is_ready, lambda: None)
    return printed.getvalue()


def test_lines_carry_the_name_of_their_process():
    output = run_until([Child("worker", SLEEPING)], lambda text: "up" in text)

    assert "worker │ up" in output


def test_a_child_that_dies_is_started_again_and_said_so():
    output = run_until([Child("beat", FAILING)], lambda text: text.count("status 7") == 2)

    assert "beat ended with status 7; starting it again in 1 s." in output
    assert "beat ended with status 7; starting it again in 2 s." in output


def test_a_child_killed_from_outside_is_named_with_its_signal():
    command = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]

    output = run_until([Child("web", command)], lambda text: "killed" in text)

    assert "web was killed by SIGKILL" in output


def test_a_stopped_child_is_killed_and_started_again(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "LONGEST_SILENCE", 1)
    alive = tmp_path / "worker.alive"
    living = "import os, pathlib, signal; pathlib.Path(os.environ['ALIVE_FILE']).touch(); print('up', flush=True)"
    stopping = [sys.executable, "-c", f"{living}; os.kill(os.getpid(), signal.SIGSTOP)"]

    output = run_until([Child("worker", stopping, alive=alive)], lambda text: text.count("up") == 2)

    assert "worker has shown no life for 1 s." in output


def test_a_clock_that_was_set_ahead_is_no_silence(tmp_path):
    living = [sys.executable, "-c", BACKDATED]

    output = run_until([Child("worker", living, alive=tmp_path / "worker.alive")], lambda text: "well" in text)

    assert "no life" not in output


def test_a_child_that_ignores_the_request_to_end_is_killed(monkeypatch):
    monkeypatch.setattr(supervisor, "PATIENCE", 0.3)
    child = Child("web", DEAF)

    run_until([child], lambda text: "deaf" in text)

    assert child.process is not None
    assert child.process.returncode == -signal.SIGKILL


def test_what_a_dead_child_has_started_ends_with_it():
    script = "import subprocess; print('pid', subprocess.Popen(['sleep', '600']).pid, flush=True); raise SystemExit(3)"

    output = run_until([Child("web", [sys.executable, "-c", script])], lambda text: "status 3" in text)

    pid = int(output.split("pid ")[1].split()[0])
    assert comes_to_its_end(pid)


def test_a_life_long_enough_makes_the_next_pause_short_again(monkeypatch):
    child = Child("web", SLEEPING, pause=30.0, started_at=time.monotonic() - supervisor.LIVED_WELL - 1)

    assert child.next_pause() == supervisor.FIRST_PAUSE


def test_pauses_grow_up_to_a_limit():
    child = Child("web", SLEEPING, started_at=time.monotonic())

    pauses = [child.next_pause() for _ in range(8)]

    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_colours_only_for_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert Printer.for_terminal(Terminal()).coloured
    assert not Printer.for_terminal(io.StringIO()).coloured

    monkeypatch.setenv("NO_COLOR", "1")
    assert not Printer.for_terminal(Terminal()).coloured


def test_a_lock_is_held_once(tmp_path):
    with supervisor.lock(tmp_path / "run.lock"), pytest.raises(AlreadyRunning):
        supervisor.lock(tmp_path / "run.lock")


def test_a_taken_port_is_noticed():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        with pytest.raises(PortTaken):
            supervisor.check_free("127.0.0.1", listener.getsockname()[1])


def test_children_end_with_a_supervisor_that_was_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys, time\n"
        "from warandpeace.supervisor import Child, Printer, Supervisor\n"
        "child = '''import os, time\n"
        "from warandpeace import lifeline\n"
        "lifeline.watch()\n"
        "print('pid', os.getpid(), flush=True)\n"
        "time.sleep(600)'''\n"
        "Supervisor([Child('web', [sys.executable, '-c', child])], Printer()).run(lambda: False, lambda: None)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout
    child = int(parent.stdout.readline().split("pid ")[1])

    parent.kill()
    parent.communicate()

    assert comes_to_its_end(child)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def comes_to_its_end(pid: int) -> bool:
    """Within two minutes: a fifth of what it would have lived by itself."""
    deadline = time.monotonic() + 120
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_running(pid)
