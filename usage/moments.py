"""Times as people read them, in the zone of `settings.TIME_ZONE`."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext

# Up to here an age is told in seconds.
SHORT = timedelta(minutes=2)


def when(moment: datetime) -> str:
    """The hour alone for today, else with its day, and with its year if that isn't this one: "23 November, 12:05"."""
    local, today = timezone.localtime(moment), timezone.localdate()
    clock = date_format(local, "H:i")
    if local.date() == today:
        return clock
    return gettext("%(day)s, %(time)s") % {"day": day(moment), "time": clock}


def day(moment: datetime, zone: tzinfo | None = None) -> str:
    """The day alone, in a zone of its own or the usual one, with its year if that isn't this one: "23 November"."""
    local = timezone.localtime(moment, zone)
    return date_format(local, "j E" if local.year == timezone.localdate().year else "j E Y")


def age(moment: datetime) -> str:
    """How long ago, in the greatest unit: "4 minutes", "9 seconds"."""
    now = timezone.now()
    span = now - moment
    if span > SHORT:
        return timesince(moment, now, depth=1)
    seconds = max(int(span.total_seconds()), 0)
    return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}
