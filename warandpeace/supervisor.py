"""Keeps the newsroom's processes running together: started, prefixed, restarted when they die, ended as one.

Each child leads its own process group, so that a signal reaches whatever it has started, and holds a lifeline, so that
it ends with this process even after kill -9.
"""

from __future__ import annotations

import fcntl
import logging
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from warandpeace import lifeline

logger = logging.getLogger(__name__)

# Seconds from the request to end until what is left is killed.
PATIENCE = 3.0

# Seconds until the first restart, and at most; a child that lived so long begins anew with the first.
FIRST_PAUSE, LONGEST_PAUSE, LIVED_WELL = 1.0, 30.0, 60.0

# A child that has not touched its file for so many seconds hangs, or was stopped.
LONGEST_SILENCE = 120.0

COLOURS = {"web": "36", "worker": "33", "beat": "35", "bot": "32", "run": "1"}


class AlreadyRunning(Exception):
    """Another process holds the lock."""


class PortTaken(Exception):
    """Something else listens there, or this address is none of ours."""


def lock(path: Path) -> IO[str]:
    """Hold this file's lock until the process ends; the file must stay open. Raises AlreadyRunning."""
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise AlreadyRunning(path) from error
    return file


def check_free(host: str, port: int) -> None:
    """Raises PortTaken unless a server may listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            raise PortTaken(error.strerror) from error


@dataclass
class Printer:
    """Lines with the coloured name of who wrote them."""

    stream: IO[str] = field(default_factory=lambda: sys.stdout)
    coloured: bool = False

    @classmethod
    def for_terminal(cls, stream: IO[str]) -> Printer:
        """Colours only for a person's terminal, and none where NO_COLOR asks for none."""
        return cls(stream, coloured=stream.isatty() and not os.environ.get("NO_COLOR"))

    def line(self, name: str, text: str) -> None:
        label = f"{name:<6} │"
        if self.coloured:
            label = f"\x1b[{COLOURS.get(name, '34')}m{label}\x1b[0m"
        with suppress(BrokenPipeError):
            print(label, text, file=self.stream, flush=True)


@dataclass
class Child:
    """One supervised process: how to start it, and its present life."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    pause: float = FIRST_PAUSE
    unfinished_line: bytes = b""
    alive: Path | None = None
    last_sign: int | None = None
    sign_seen_at: float = 0.0

    def start(self, lifeline_end: int) -> None:
        environment = os.environ | {
            lifeline.VARIABLE: str(lifeline_end),
            "PROCESS_ROLE": self.name,
            "PYTHONUNBUFFERED": "1",
        }
        if self.alive:
            self.alive.unlink(missing_ok=True)
            environment["ALIVE_FILE"] = str(self.alive)
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603  our own commands
            self.command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[lifeline_end],
            start_new_session=True,
        )

    def signal(self, number: int) -> None:
        """Send a signal to the child and everything it has started."""
        if self.process:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def is_silent(self) -> bool:
        """Whether it has shown before that it gets things done, and no longer does.

        What counts is when its sign was seen to be a new one: the clock that dates the sign may have been set.
        """
        try:
            sign = self.alive.stat().st_mtime_ns if self.alive else None
        except FileNotFoundError:
            sign = None
        now = time.monotonic()
        if sign is None or sign != self.last_sign:
            self.last_sign, self.sign_seen_at = sign, now
        return now - self.sign_seen_at > LONGEST_SILENCE

    def lines(self, data: bytes) -> list[str]:
        """The complete lines that this piece of output ends."""
        *complete, self.unfinished_line = (self.unfinished_line + data).split(b"\n")
        return [line.decode(errors="replace") for line in complete]

    def next_pause(self) -> float:
        """How long to wait before the next start; longer each time, unless this life was a long one."""
        if time.monotonic() - self.started_at > LIVED_WELL:
            self.pause = FIRST_PAUSE
        pause, self.pause = self.pause, min(self.pause * 2, LONGEST_PAUSE)
        return pause


def ending(status: int) -> str:
    """What an exit status says, in words."""
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"


class Supervisor:
    """Runs the children until SIGINT or SIGTERM, then ends them all within a few seconds."""

    def __init__(self, children: Iterable[Child], printer: Printer) -> None:
        self.children = list(children)
        self.printer = printer
        self.stopping = False
        self.selector = selectors.DefaultSelector()
        self.lifeline_end, self._held_end = os.pipe()

    def run(self, is_ready: Callable[[], bool], on_ready: Callable[[], None]) -> None:
        """Start all, call `on_ready` once `is_ready` says so, and come back when everything has ended."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        told = False
        while not self.stopping:
            self._start_due()
            self._print_output(timeout=0.25)
            self._notice_silence()
            self._notice_deaths()
            if not told and not self.stopping and is_ready():
                on_ready()
                told = True
        self._end_all()

    def _stop(self, number: int, frame: object) -> None:
        self.stopping = True

    def _start_due(self) -> None:
        for child in self.children:
            if child.process is None and child.start_at <= time.monotonic():
                child.start(self.lifeline_end)
                self._follow(child)

    def _follow(self, child: Child) -> None:
        assert child.process and child.process.stdout  # noqa: S101  it was started with a pipe
        os.set_blocking(child.process.stdout.fileno(), False)
        self.selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def _print_output(self, timeout: float) -> None:
        if not self.selector.get_map():
            time.sleep(timeout)
        for key, _events in self.selector.select(timeout):
            data = os.read(key.fd, 65536)
            if not data:
                self._unfollow(key)
            for line in key.data.lines(data):
                self.printer.line(key.data.name, line)

    def _unfollow(self, key: selectors.SelectorKey) -> None:
        self.selector.unregister(key.fileobj)
        key.fileobj.close()  # type: ignore[union-attr]  # it is the child's pipe

    def _notice_silence(self) -> None:
        for child in self.children:
            if child.process and child.is_silent():
                self.printer.line("run", f"{child.name} has shown no life for {LONGEST_SILENCE:.0f} s.")
                child.signal(signal.SIGKILL)
                child.process.wait()

    def _notice_deaths(self) -> None:
        for child in self.children:
            if child.process is None or child.process.poll() is None:
                continue
            child.signal(signal.SIGKILL)  # what it left behind
            pause = child.next_pause()
            words = ending(child.process.returncode)
            self.printer.line("run", f"{child.name} {words}; starting it again in {pause:.0f} s.")
            child.process, child.start_at = None, time.monotonic() + pause

    def _end_all(self) -> None:
        self.printer.line("run", "Stopping …")
        deadline = time.monotonic() + PATIENCE
        for child in self.children:
            child.signal(signal.SIGTERM)
        while any(child.process and child.process.poll() is None for child in self.children):
            if time.monotonic() > deadline:
                break
            self._print_output(timeout=0.1)
        for child in self.children:
            child.signal(signal.SIGKILL)
        for child in self.children:
            if child.process:
                child.process.wait()
        for key in list(self.selector.get_map().values()):
            self._unfollow(key)
        for descriptor in (self.lifeline_end, self._held_end):
            os.close(descriptor)
        self.printer.line("run", "Stopped.")
