"""The broker of the embedded default: Celery's messages as files of one folder.

kombu's own transport writes a message in place, so a reader may take it half written, lose it and stop the worker; and
it carries what it reads through the machine's temporary folder. Here a message appears whole or not at all, and a file
that is no message is dropped with a line in the log. Losing one costs seconds: the sweeper rings again.
"""

from __future__ import annotations

import logging
import shutil
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)

# Each is the name of the queue, its exchange and its routing key; the first is Celery's own for whatever has no other.
QUEUES = ("celery", "backups")

# Zero-padded, so that names sort as their times do.
NAME = "{milliseconds:015d}_{unique}.{queue}.msg"


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Write a message under a hidden name, then let it appear."""
        name = NAME.format(milliseconds=time.time_ns() // 1_000_000, unique=uuid.uuid4().hex, queue=queue)
        hidden = Path(self.data_folder_out, f".{name}")
        hidden.write_text(dumps(payload))
        hidden.rename(hidden.with_name(name))

    def _get(self, queue: str) -> Any:  # type: ignore[override]
        """Take the oldest message of a queue; raises Empty if there is none."""
        for path in sorted(Path(self.data_folder_in).glob(f"[!.]*.{queue}.msg")):
            taken = path.with_name(f".{path.name}.taken")
            try:
                path.rename(taken)  # only one reader succeeds
                payload = loads(taken.read_text())
            except FileNotFoundError:
                continue
            except (ValueError, OSError) as error:
                logger.warning("Dropped %s from the broker's folder: it is no message (%s).", path.name, error)
                discard(taken)
                continue
            discard(taken)
            return payload
        raise Empty


class Transport(filesystem.Transport):
    Channel = Channel


def discard(path: Path) -> None:
    """Remove a file or a folder; one that is gone already is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def clear(folder: Path) -> int:
    """Remove what an earlier life left in the broker's folder, and say how many things those were.

    Only while no worker runs. Nothing is lost by it: messages are doorbells. The tables of queues are laid down at
    once, because the first processes to start would write them at the same moment.
    """
    leftovers = list(folder.iterdir())
    for path in leftovers:
        discard(path)
    control = folder / "control"
    control.mkdir()
    for queue in QUEUES:
        (control / f"{queue}.exchange").write_text(dumps([[queue, "", queue]]))
    return len(leftovers)


def prune(folder: Path, older_than: float) -> int:
    """Remove messages that nobody took for so many seconds, and say how many those were."""
    oldest = time.time() - older_than
    stale = [path for path in folder.iterdir() if path.is_file() and path.stat().st_mtime < oldest]
    for path in stale:
        discard(path)
    return len(stale)
