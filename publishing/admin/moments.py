"""Times as editors read them: the hour alone for today, with its day otherwise, in the zone of `settings.TIME_ZONE`."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext


def when(moment: datetime) -> str:
    """The moment for people: "12:05", or "23 November, 12:05" if it isn't today."""
    local = timezone.localtime(moment)
    clock = date_format(local, "H:i")
    if local.date() == timezone.localdate():
        return clock
    return gettext("%(day)s, %(time)s") % {"day": date_format(local, "j E"), "time": clock}
