"""Asking for digests: by a person at any time, by a channel's schedule once a period is over.

What exists is told by rows alone, so it does no harm to ask twice, in two processes at once, or after days of silence.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from publishing.digests.errors import NotBegun
from publishing.digests.periods import Kind, Period
from publishing.models import Channel, Digest, DigestPlan

# How many periods a schedule makes up for after an outage, the latest ones.
MADE_UP_FOR = {Kind.DAILY: 7, Kind.WEEKLY: 4, Kind.MONTHLY: 3, Kind.ANNUAL: 1}
# Clocks of several machines agree to within this.
TOLERANCE = timedelta(minutes=1)


def request(
    kind: str, channel: Channel, day: date, *, by: AbstractBaseUser | None = None, approves_itself: bool = False
) -> Digest:
    """Ask for a new version of the digest of the period in which a day (of the channel's zone) lies.

    Where one is in the making, that one is given. Workers write it; `progress` tells how far they are. Raises NotBegun
    for a period that lies ahead.
    """
    now = timezone.now()
    period = Period.containing(kind, day)
    if period.bounds(channel.zone)[0] > now:
        raise NotBegun(_("This period has not begun yet: choose an earlier day."))
    digest = _make(channel, period, now, created_by=by, approves_itself=approves_itself)
    if approves_itself and not digest.approves_itself:
        Digest.objects.filter(pk=digest.pk).in_the_making().update(approves_itself=True)
    return digest


def _make(channel: Channel, period: Period, now: datetime, **values: object) -> Digest:
    """The version in the making, or a new one: whoever comes second gets the first one's."""
    versions = Digest.objects.filter(channel=channel, period=period.kind, period_start=period.start)
    for _attempt in range(2):
        if waiting := versions.in_the_making().first():
            return waiting
        newest = versions.aggregate(newest=Max("version"))["newest"] or 0
        try:
            with transaction.atomic():
                return Digest.objects.create(
                    channel=channel,
                    period=period.kind,
                    period_start=period.start,
                    period_end=period.end,
                    version=newest + 1,
                    title=period.title(channel.language),
                    created_at=now,
                    next_step_at=now,
                    **values,
                )
        except IntegrityError:
            continue
    return versions.latest("version")


def plan_due(now: datetime | None = None) -> list[int]:
    """Make the rows of digests that schedules want by now and that don't exist; their numbers.

    After an outage the latest periods are made up for (`MADE_UP_FOR`), never what was due before the schedule began.
    """
    moment = now or timezone.now()
    plans = DigestPlan.objects.filter(is_active=True, begins_at__lte=moment).select_related("channel")
    return [
        _make(plan.channel, period, moment, is_scheduled=True, approves_itself=plan.approves_itself, created_by=None).pk
        for plan in plans
        for period in missing(plan, moment)
    ]


def missing(plan: DigestPlan, now: datetime) -> list[Period]:
    """The periods whose digests a schedule wants by now and that have none, the earliest first."""
    zone, period = plan.channel.zone, Period.last_ended(plan.period, now, plan.channel.zone)
    wanted: list[Period] = []
    for _step in range(MADE_UP_FOR[period.kind]):
        if plan.begins_at < period.due_at(plan.at, zone) <= now and not _exists(plan.channel, period, now):
            wanted.insert(0, period)
        period = period.previous()
    return wanted


def _exists(channel: Channel, period: Period, now: datetime) -> bool:
    """Whether the period has a digest that saw all of it, or one in the making.

    One of the future was made by a clock that ran ahead, perhaps before the period was over: it does not count.
    """
    versions = Digest.objects.filter(channel=channel, period=period.kind, period_start=period.start)
    saw_all = (period.bounds(channel.zone)[1], now + TOLERANCE)
    return versions.filter(created_at__range=saw_all).exists() or versions.in_the_making().exists()
