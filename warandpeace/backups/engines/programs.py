"""PostgreSQL's own programs: where they are, which version, and how they are run without a password in sight."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from typing import IO, Any

from django.conf import settings
from psycopg.conninfo import make_conninfo

from warandpeace.backups.encryption import CHUNK
from warandpeace.backups.errors import BackupError

# Django's and psycopg's own options, which libpq doesn't know.
NOT_OF_LIBPQ = {"isolation_level", "pool", "server_side_binding", "assume_role", "cursor_factory", "prepare_threshold"}
# pg_restore 17 and later set this for every server; older servers don't know it.
FROM_17 = b"SET transaction_timeout = 0;\n"
NO_PROGRAM = (
    "{name} is not there: install PostgreSQL's client programs (on Debian: apt-get install postgresql-client), "
    "or name their folder in POSTGRES_BINARIES."
)


def conninfo(database: dict[str, Any], name: str) -> str:
    """How libpq reaches a database, without the password."""
    places = {"host": database.get("HOST"), "port": database.get("PORT"), "user": database.get("USER")}
    options = {key: value for key, value in database.get("OPTIONS", {}).items() if key not in NOT_OF_LIBPQ}
    options.pop("password", None)
    return make_conninfo("", **options, **{key: value for key, value in places.items() if value}, dbname=name)


def password(database: dict[str, Any]) -> str:
    return str(database.get("PASSWORD") or database.get("OPTIONS", {}).get("password") or "")


def environment(database: dict[str, Any]) -> dict[str, str]:
    """The password where only this user's processes see it; on a command line everybody would."""
    secret = password(database)
    return {**os.environ, **({"PGPASSWORD": secret} if secret else {})}


def path_of(name: str) -> str:
    """The program's path. Raises BackupError where it is missing."""
    found = shutil.which(name, path=settings.POSTGRES_BINARIES or None)
    if found is None:
        raise BackupError(NO_PROGRAM.format(name=name))
    return found


def check_version(needed: int) -> None:
    """Raise BackupError unless the programs are as new as a server of that major version."""
    for name in ("pg_dump", "pg_restore", "psql"):
        command = [path_of(name), "--version"]
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603  our own
        found = re.search(r"\) (\d+)", said)
        if found is None or int(found[1]) < needed:
            raise BackupError(
                f"{path_of(name)} is of version {found[1] if found else '?'}, the server of {needed}: install "
                "client programs that are as new, or name their folder in POSTGRES_BINARIES."
            )


@contextmanager
def dumping(database: dict[str, Any], name: str, snapshot: str) -> Iterator[IO[bytes]]:
    """What pg_dump says of a database at the moment of a snapshot. Raises BackupError if it fails."""
    command = [path_of("pg_dump"), "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
    command += ["--dbname", conninfo(database, name)]
    with TemporaryFile() as said:
        env = environment(database)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, env=env)  # noqa: S603  our own
        assert process.stdout  # noqa: S101  for the type checker
        with _ended(process):
            yield process.stdout
            _check(process, said)


@contextmanager
def restoring(database: dict[str, Any], name: str, *, is_old: bool) -> Iterator[IO[bytes]]:
    """Takes a dump into an empty database. Raises BackupError if it fails; then only part of it may be there.

    `is_old`: the server is older than 17. The dump becomes SQL, which is freed of what such a server doesn't know.
    """
    archive = [path_of("pg_restore"), "--no-owner", "--no-privileges", "--no-comments", "--file=-"]
    shell = [path_of("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction"]
    shell += ["--output", os.devnull, "--dbname", conninfo(database, name)]
    pipe, env = subprocess.PIPE, environment(database)
    with TemporaryFile() as said:
        reader = subprocess.Popen(archive, stdin=pipe, stdout=pipe, stderr=said)  # noqa: S603  our own
        writer = subprocess.Popen(shell, stdin=pipe, stderr=said, env=env)  # noqa: S603  our own
        assert reader.stdin  # noqa: S101  for the type checker
        feeding = threading.Thread(target=_feed, args=[reader.stdout, writer.stdin, is_old], daemon=True)
        feeding.start()
        with _ended(reader), _ended(writer):
            with suppress(BrokenPipeError):  # why it would not take more, it has said
                yield reader.stdin
                reader.stdin.close()
            feeding.join()
            _check(writer, said)
            _check(reader, said)


def _feed(source: IO[bytes], target: IO[bytes], is_old: bool) -> None:
    """SQL from one program to the other."""
    with suppress(BrokenPipeError), target:
        head = source.read(CHUNK)
        target.write(head.replace(FROM_17, b"", 1) if is_old else head)
        shutil.copyfileobj(source, target, CHUNK)
    source.close()


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """See that the process is no more, whatever happens."""
    try:
        yield
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream:
                with suppress(BrokenPipeError):
                    stream.close()


def _check(process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
    if process.wait():
        said.seek(0)
        lines = said.read().decode(errors="replace").split("\n")
        why = next((line for line in lines if "error" in line.lower()), lines[0])
        raise BackupError(f"PostgreSQL's program failed: {why.strip()}")
