"""How the scheduler begins a backup: the rows say whether one is due, and a process of its own makes it."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading

from django.conf import settings
from django.utils import timezone

from warandpeace.backups.models import Backup

logger = logging.getLogger(__name__)

COMMAND = [sys.executable, str(settings.BASE_DIR / "manage.py"), "backup", "--if-due"]


def begin_if_due() -> subprocess.Popen[bytes] | None:
    """Start `manage.py backup` if a backup is due. It looks once more itself, so that ringing twice does no harm.

    It ends with the process that started it, or is killed: what it leaves is cleaned up by the next one.
    """
    if not Backup.is_due(timezone.now()):
        return None
    process = subprocess.Popen(COMMAND, cwd=settings.BASE_DIR)  # noqa: S603  our own command
    threading.Thread(target=_await, args=[process], name="backup", daemon=True).start()
    return process


def _await(process: subprocess.Popen[bytes]) -> None:
    """Take note of its end, so that nothing of it stays among the processes."""
    if status := process.wait():
        logger.warning("The backup ended with status %s.", status)
