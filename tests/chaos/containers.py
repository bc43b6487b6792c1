"""Does what Docker does with `restart: unless-stopped`: whoever ends is started again, ever later if that was soon."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.chaos.compose import ROOT, Service

# As Docker has it, in seconds: the first pause, the longest, and the life after which it begins anew with the first.
FIRST_PAUSE, LONGEST_PAUSE, LIVED_WELL = 0.1, 60.0, 10.0
GRACE = 20.0
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Container:
    """One service's process and its lives. `owner` are the arguments of Popen that say who it runs as."""

    def __init__(self, service: Service, log: Path, owner: dict[str, Any] | None = None) -> None:
        self.service, self.log, self.owner = service, log, owner or {}
        self.is_wanted = True
        self.lives = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._start_at = self._started_at = 0.0
        self._pause = FIRST_PAUSE

    @property
    def name(self) -> str:
        return self.service.name

    def look(self, now: float) -> None:
        """Start it if it should run and does not. `now` is the monotonic clock's."""
        if self.process and self.process.poll() is not None:
            self.signal(signal.SIGKILL)  # a container ends as a whole
            self._pause = FIRST_PAUSE if now - self._started_at > LIVED_WELL else min(self._pause * 2, LONGEST_PAUSE)
            self._start_at, self.process = now + self._pause, None
        if self.process is None and self.is_wanted and now >= self._start_at:
            self._start(now)

    def _start(self, now: float) -> None:
        self.lives, self._started_at = self.lives + 1, now
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.service.command,
                cwd=self.owner.get("cwd", ROOT),
                env=dict(self.service.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  it makes one call of the kernel
                **{name: value for name, value in self.owner.items() if name != "cwd"},
            )

    def signal(self, number: int) -> None:
        """To it and to everything that it has started."""
        if process := self.process:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)

    def is_healthy(self) -> bool:
        """What its health check says."""
        command = [*self.service.health]
        asked = subprocess.run(
            command, cwd=ROOT, env=dict(self.service.environment), capture_output=True, timeout=10, check=False
        )
        return asked.returncode == 0


class Docker:
    """Keeps containers running from a thread, while its `with` block runs; they die with this process in any case."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.containers: dict[str, Container] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="docker", daemon=True)
        logs.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(*reversed(self.containers))
        self._ended.set()
        self._thread.join()

    def up(self, service: Service, **owner: Any) -> Container:
        container = Container(service, self.logs / f"{service.name}.log", owner)
        self.containers[service.name] = container
        return container

    def run(self, service: Service) -> None:
        """A service that ends by itself. Raises CalledProcessError where it fails."""
        with (self.logs / f"{service.name}.log").open("ab") as log:
            environment = dict(service.environment)
            subprocess.run(service.command, cwd=ROOT, env=environment, stdout=log, stderr=log, check=True)

    def stop(self, *names: str, number: int = signal.SIGTERM) -> None:
        """End containers, and leave them so; who does not end in time is killed."""
        chosen = [self.containers[name] for name in names]
        for container in chosen:
            container.is_wanted = False
            if container.process:
                with suppress(ProcessLookupError):
                    container.process.send_signal(number)
        give_up_at = time.monotonic() + GRACE
        while any(container.process for container in chosen) and time.monotonic() < give_up_at:
            time.sleep(0.05)
        for container in chosen:
            container.signal(signal.SIGKILL)

    def start(self, *names: str) -> None:
        for name in names:
            self.containers[name].is_wanted = True

    def kill(self, name: str) -> None:
        """kill -9; it is started again."""
        self.containers[name].signal(signal.SIGKILL)

    def unhealthy(self, names: Iterable[str] | None = None) -> list[str]:
        """Those whose health check fails."""
        chosen = self.containers if names is None else names
        return [name for name in chosen if self.containers[name].service.health and not self._is_healthy(name)]

    def _is_healthy(self, name: str) -> bool:
        return self.containers[name].is_healthy()

    def _keep(self) -> None:
        while not self._ended.wait(0.05):
            for container in list(self.containers.values()):
                container.look(time.monotonic())
