"""The whole newsroom as a user starts it: `manage.py run` in a process of its own, with its own folder and port."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self, TypeVar

from django.db import connection

from tests import servers

T = TypeVar("T")

ROOT = Path(__file__).parents[2]

# Generous, because a busy machine starts three Python processes in this time; nothing waits longer than it must.
PATIENCE = 120.0


def database_url() -> str:
    """The URL of the test database that this process is connected to."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"


def wait_for(found: Callable[[], T | None], what: str, seconds: float = PATIENCE) -> T:
    """What the call gives as soon as it gives something. Raises TimeoutError with `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not (result := found()):
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.05)
    return result


class Stack:
    """A running newsroom. Use it as a context manager; whatever happens, nothing of it stays behind."""

    def __init__(
        self,
        var_dir: Path,
        environment: Mapping[str, str],
        *,
        port: int | None = None,
        arguments: tuple[str, ...] = (),
    ) -> None:
        self.var_dir = var_dir
        self.port = port or servers.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.arguments = arguments
        self.environment = {name: value for name, value in os.environ.items() if name not in OVERRIDDEN}
        self.environment |= {"VAR_DIR": str(var_dir), "ENV_FILE": os.devnull, **environment}
        self.output = ""

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "run", "--port", str(self.port), *self.arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()
        self._reader.join()
        assert self.process.stdout
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.output += line

    def stop(self) -> int:
        """End it as a service manager would, and give its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)

    def wait_until_ready(self) -> Self:
        self.wait_for_output(r"Forgotten\?")
        return self

    def wait_for_output(self, pattern: str) -> re.Match[str]:
        """The first match in what was printed. Raises TimeoutError with everything that was printed."""
        try:
            return wait_for(lambda: re.search(pattern, self.output) or self._ended(pattern), pattern)
        except TimeoutError as error:
            raise TimeoutError(f"{pattern!r} was not printed:\n{self.output}") from error

    def _ended(self, pattern: str) -> re.Match[str] | None:
        if self.process.poll() is None or self._reader.is_alive():
            return None
        if found := re.search(pattern, self.output):
            return found
        status = self.process.returncode
        raise AssertionError(f"It ended with status {status} before it printed {pattern!r}:\n{self.output}")

    def running(self, name: str) -> set[int]:
        """The numbers of the web, worker or beat processes."""
        return {pid for pid, command in self.processes().items() if KINDS[name] in command}

    def wait_for_another(self, name: str, known: set[int]) -> None:
        wait_for(lambda: self.running(name) - known, f"a new {name}")

    def kill(self, name: str) -> None:
        """Kill -9 the first process of a kind, if it lives."""
        for pid in sorted(self.running(name))[:1]:
            os.kill(pid, signal.SIGKILL)

    def processes(self) -> dict[int, str]:
        """Every process that works in this stack's folder, by its number: the command line of each."""
        mark = f"VAR_DIR={self.var_dir}\0".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes() + b"\0":
                    found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ").strip()
            except OSError:
                continue
        return {pid: command for pid, command in found.items() if command}  # a zombie has none


# What tells the processes' command lines apart.
KINDS = {"web": "gunicorn", "worker": " worker ", "beat": " beat "}

# What the tests' own environment says, which the newsroom must not inherit.
OVERRIDDEN = {
    "DJANGO_SETTINGS_MODULE",
    "WARANDPEACE_TEST_DIR",
    "PROMETHEUS_MULTIPROC_DIR",
    "DATABASE_URL",
    "TEST_DATABASE_URL",
    "SECRET_KEY",
    "FETCH_ALLOW_PRIVATE",
}
