"""Where the play takes place: a folder of its own, the servers in it, and the stack that stands on them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

from tests import servers
from tests.chaos.compose import ROOT, Compose, Places, Service
from tests.chaos.containers import Container, Docker
from tests.servers import Cluster

WORKERS = ("worker-1", "worker-2")
# What runs our code, and is in the hands of one clock.
OURS = ("web", *WORKERS, "backup", "beat", "bot")
MEGABYTE = 1 << 20
# Room on the disks that are to be filled.
DISKS = {"cluster": 400, "files": 96, "backups": 160}
# Prometheus' patience is cut, so that a play of minutes can see its alerts come and go.
PATIENCE = {
    # But for slow answers, which the faults themselves make: they are told of as patiently as ever.
    r"for: (?!15m)\w+": "for: 4s",
    # A rule that looks back ten minutes would not be cleared before its time.
    r"errors_total\[10m\]": "errors_total[30s]",
    r"sweeper_age_seconds > 120": "sweeper_age_seconds > 20",
    r"source_age_seconds > 86400": "source_age_seconds > 90",
    r"(scrape|evaluation)_interval: 15s": r"\1_interval: 2s",
}


class Ground:
    """The folder, its disks, and what runs there. At the end everything is gone, but for wanted logs."""

    def __init__(self) -> None:
        self.places = Places(Path(tempfile.mkdtemp(prefix="warandpeace-chaos-")))
        self.has_disks = all(self._mount(name, size) for name, size in DISKS.items())
        self.clock = self._make_clock()
        self.has_prometheus = shutil.which("prometheus") is not None
        self.keeps_logs = True
        self._opened = ExitStack()
        for name in ("series", "tmp"):
            (self.places.folder / name).mkdir()

    def _make_clock(self) -> Path | None:
        """The library that makes a process see a clock of its own; None where there is no compiler."""
        library, self._time = self.places.folder / "clock.so", self.places.folder / "clock"
        self.set_clock(hours=0)
        compiler = shutil.which("cc")
        if compiler is None:
            return None
        subprocess.run([compiler, "-shared", "-fPIC", "-o", library, Path(__file__).with_name("clock.c")], check=True)
        return library

    def _mount(self, name: str, megabytes: int) -> bool:
        """Give a folder a small disk of its own; False where this is not allowed."""
        folder = self.places.folder / name
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "warandpeace-chaos", str(folder)]
        return not subprocess.run(command, capture_output=True, check=False).returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()
        for name in DISKS:
            subprocess.run(["umount", "--lazy", str(self.places.folder / name)], capture_output=True, check=False)
        for path in self.places.folder.iterdir():
            if path.name != "logs" or not self.keeps_logs:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        with suppress(OSError):
            self.places.folder.rmdir()

    # --- the stack --------------------------------------------------------------------------------------------------

    def start(self, variables: Mapping[str, str], secrets: Mapping[str, str]) -> None:
        """Start everything in compose's order. `variables` are those of `docker/.env`."""
        self.places.make_secrets(**secrets)
        self.docker = self._opened.enter_context(Docker(self.places.folder / "logs"))
        cluster = self._make_cluster()
        pg_dump = cluster.binaries / "pg_dump"
        binaries = {"POSTGRES_BINARIES": str(cluster.binaries)} if pg_dump.exists() else {}
        self.compose = Compose(self.places, {**binaries, **variables})
        self.docker.up(self._database(cluster), cwd=cluster.base, **cluster.owner)
        self.docker.up(self._redis())
        wait_until(lambda: self.answers("postgres"), "PostgreSQL")
        with self.connect("postgres") as session:
            session.execute("CREATE DATABASE warandpeace")
        self.docker.run(self.compose.service("migrate"))
        for name in OURS:
            self.docker.up(self._clocked(self.compose.service(name.partition("-")[0], instance=name)))
        if self.has_prometheus:
            self._write_prometheus()
            self.docker.up(self._prometheus())

    def _make_cluster(self) -> Cluster:
        (self.places.folder).chmod(0o755)
        base = self.places.folder / "cluster"
        # The server's own user can't look into the folder of the secrets.
        password = base / "password"
        password.write_text(self.places.secret("postgres_password"))
        return servers.make_cluster(base, "-U", "warandpeace", f"--pwfile={password}", "--auth=scram-sha-256")

    def _database(self, cluster: Cluster) -> Service:
        settings = {
            "port": self.places.ports["postgres"],
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "min_wal_size": "32MB",
            "max_wal_size": "64MB",
        }
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = (str(cluster.binaries / "postgres"), "-D", str(cluster.data), *flags)
        return Service("postgres", command, {"LC_ALL": "C.UTF-8"})

    def _redis(self) -> Service:
        found = self.compose.service("redis")
        here = ("--port", str(self.places.ports["redis"]), "--bind", "127.0.0.1", "--dir", str(self.places.folder))
        health = ("redis-cli", "-p", str(self.places.ports["redis"]), "ping")
        return Service("redis", (*found.command, *here), found.environment, health)

    def _prometheus(self) -> Service:
        found = self.compose.service("prometheus")
        here = f"--web.listen-address=127.0.0.1:{self.places.ports['prometheus']}"
        return Service("prometheus", ("prometheus", *found.command, here), found.environment)

    def _write_prometheus(self) -> None:
        """The stack's own configuration and rules, less patient."""
        folder = self.places.folder / "prometheus"
        folder.mkdir()
        for path in (ROOT / "docker" / "prometheus").glob("*.yml"):
            text = self.places.here(path.read_text())
            for patient, hasty in PATIENCE.items():
                text = re.sub(patient, hasty, text)
            (folder / path.name).write_text(text)

    def _clocked(self, service: Service) -> Service:
        """The service, under a clock that can be put forward and back; the monotonic one goes on as it does."""
        if self.clock is None:
            return service
        clock = {"LD_PRELOAD": str(self.clock), "CHAOS_CLOCK": str(self._time)}
        return Service(service.name, service.command, {**service.environment, **clock}, service.health)

    # --- what is done to it -----------------------------------------------------------------------------------------

    def connect(self, name: str = "warandpeace") -> psycopg.Connection[Any]:
        """A session of the superuser. Raises psycopg.OperationalError while the server is away."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.places.ports["postgres"],
            user="warandpeace",
            password=self.places.secret("postgres_password"),
            dbname=name,
            autocommit=True,
            connect_timeout=3,
        )

    def answers(self, name: str = "warandpeace") -> bool:
        """Whether the server lets somebody into a database. Raises psycopg.OperationalError if not."""
        with self.connect(name) as session:
            return session.execute("SELECT 1").fetchone() is not None

    def set_clock(self, hours: float) -> None:
        """Put the clock of all our processes so many hours ahead of the real one."""
        with self._time.open("r+b" if self._time.exists() else "wb") as file:
            file.write(int(hours * 3600).to_bytes(8, sys.byteorder, signed=True))

    def fill(self, disk: str) -> None:
        """Leave no byte free on one of the disks."""
        with suppress(OSError), (self.places.folder / disk / "ballast").open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * MEGABYTE)
        with suppress(OSError), (self.places.folder / disk / "ballast").open("ab", buffering=0) as file:
            while True:
                file.write(b"\0" * 512)

    def free(self, disk: str) -> None:
        (self.places.folder / disk / "ballast").unlink(missing_ok=True)

    def container(self, name: str) -> Container:
        return self.docker.containers[name]


def wait_until(done: Any, what: str, seconds: float = 90) -> None:
    """Raises TimeoutError with what was waited for."""
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        with suppress(OSError, psycopg.Error):
            if done():
                return
        time.sleep(0.1)
    raise TimeoutError(what)
