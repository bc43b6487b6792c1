"""Our own loggers at DEBUG for a while, in every process: a row says until when, and each process looks now and then.

Other packages' loggers stay as they are: some of theirs write addresses with a token in them.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.utils import timezone

from publishing.models import DebugWindow

OURS = ("warandpeace", "publishing", "articles", "usage")
LONGEST = timedelta(hours=4)


def switch_on(duration: timedelta, by: str) -> datetime:
    """Ask every process for detailed logs for the time, LONGEST at the most; gives the end (aware)."""
    until = timezone.now() + min(duration, LONGEST)
    DebugWindow.objects.update_or_create(pk=1, defaults={"until": until, "asked_by": by})
    obey()
    return until


def switch_off() -> None:
    DebugWindow.objects.filter(pk=1).update(until=timezone.now())
    obey()


def obey() -> None:
    """Set this process's loggers as the row asks. Called by every process twice a minute or more often."""
    is_on = DebugWindow.objects.filter(until__gt=timezone.now()).exists()
    for name in OURS:
        logging.getLogger(name).setLevel(logging.DEBUG if is_on else logging.NOTSET)
