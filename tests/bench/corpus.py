"""Feeds that feedparser's authors test it with, well-formed and ill-formed: fetched, read by us, and never kept.

    python -m tests.bench.corpus

Downloads the source package of the feedparser that is installed through pip, and reads each of its feeds as a worker
would. Ends with status 1 if a feed raises what the fetcher doesn't expect.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from articles.feeds import Unreadable
from articles.parsing import Parsers

SLOW = 2.0  # seconds


def feeds(folder: Path) -> list[tuple[str, bytes]]:
    """Names and bytes of the feeds in the source package."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--no-binary=:all:",
        "--dest",
        str(folder),
    ]
    subprocess.run([*command, f"feedparser=={version('feedparser')}"], check=True)
    with tarfile.open(next(folder.glob("feedparser-*.tar.gz"))) as package:
        files = [each for each in package if each.isfile() and "/tests/" in each.name and each.name.endswith(".xml")]
        return [(each.name, source.read()) for each in files if (source := package.extractfile(each))]


def outcome(parsers: Parsers, body: bytes) -> str:
    """What came of a feed: read, refused, slow, or the error that nobody expects."""
    started = time.monotonic()
    try:
        parsers.parse(body, url="https://a.example/feed", now=datetime.now(UTC))
    except Unreadable:
        return "refused"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what this is looking for
        return f"broke the parser: {type(error).__name__}: {error}"
    return "slow" if time.monotonic() - started > SLOW else "read"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Parsers(workers=2) as parsers:
        found = [(name, outcome(parsers, body)) for name, body in feeds(Path(folder))]
    broken = [(name, what) for name, what in found if what not in {"read", "refused"}]
    for name, what in broken:
        print(f"{name}: {what}")
    print(" ".join(f"{what}={count}" for what, count in Counter(what.split(":")[0] for _name, what in found).items()))
    sys.exit(bool(broken) or not found)


if __name__ == "__main__":
    main()
