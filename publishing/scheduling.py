"""Another time for what is scheduled, and the slots of a day as the channel's own clock counts them.

On two days of a year a clock has 23 or 25 hours. A slot is therefore a moment, never an hour of a day: an hour that
does not exist has no slot, and one that comes twice has two.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from publishing.approval import AlreadyDecided, ApprovalError, change, current, recorded
from publishing.models import Message, Publication

HOUR = timedelta(hours=1)


class Past(ApprovalError):
    """The time has passed already."""


@transaction.atomic
def reschedule(
    publication_id: int, *, by: AbstractBaseUser | None, moment: datetime, revision: int | None = None
) -> Publication:
    """Let an approved publication go out at `moment` (aware) instead; what was approved stays as it is.

    Raises ApprovalError if the time has passed, the publication is another one than `revision`, or it is on its way.
    """
    if moment <= timezone.now():
        raise Past(_("This time has passed already."))
    publication = current(publication_id, revision)
    change(publication, [Publication.State.APPROVED], scheduled_for=moment)
    # Locked, so that no sender claims one between the look and the change.
    messages = Message.objects.filter(publication=publication)
    if any(message.state != Message.State.READY for message in messages.select_for_update()):
        raise AlreadyDecided(_("It is too late to move it: it is being sent right now."))
    messages.update(not_before=moment)
    return recorded(publication, by, "scheduled")


def day_begins(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day in a zone, in UTC: not always midnight."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def slots(day: date, zone: ZoneInfo) -> dict[int, list[datetime]]:
    """By the hour of its clock, the moments (UTC) at which the hours of a day begin: none, one or two each."""
    moment, end = day_begins(day, zone), day_begins(day + timedelta(days=1), zone)
    by_hour: dict[int, list[datetime]] = {hour: [] for hour in range(24)}
    while moment < end:
        by_hour[moment.astimezone(zone).hour].append(moment)
        moment += HOUR
    return by_hour


def same_clock(moment: datetime, day: date, zone: ZoneInfo) -> datetime:
    """The moment (UTC) at which the zone's clock shows the same time on another day.

    A time that does not exist on that day is moved on by what the clock leaps over.
    """
    return datetime.combine(day, moment.astimezone(zone).time(), zone).astimezone(UTC)
