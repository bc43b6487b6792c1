"""What beat rings, as rows that an operator may change in the admin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from usage.schema import is_known


@dataclass(frozen=True)
class Schedule:
    """A task and how often it is rung. A message that waited longer than `expires` seconds is not worth doing."""

    name: str
    task: str
    seconds: int
    expires: int
    description: str


SCHEDULES = [
    Schedule(
        name="sweep",
        task="warandpeace.tasks.sweep",
        seconds=3,
        expires=10,
        description="Rings for every source, article and message that is due. Switched off, nothing moves.",
    ),
    Schedule(
        name="plan digests",
        task="publishing.tasks.plan_digests",
        seconds=60,
        expires=50,
        description="Begins the digests that channels have scheduled, and makes up for those an outage has kept.",
    ),
    Schedule(
        name="back up",
        task="warandpeace.tasks.back_up",
        seconds=600,
        expires=590,
        description="Looks whether a backup is due (BACKUP_HOURS), and makes one. Switched off, none is made.",
    ),
    Schedule(
        name="prune calls",
        task="usage.tasks.prune_calls",
        seconds=86_400,
        expires=3_600,
        description="Forgets calls to language models that are older than 30 days. Totals of days stay.",
    ),
    Schedule(
        name="prune pictures",
        task="publishing.tasks.prune_pictures",
        seconds=86_400,
        expires=3_600,
        description="Forgets pictures of posts that are older than 90 days.",
    ),
    Schedule(
        name="prune sign-ins",
        task="warandpeace.tasks.prune_sign_ins",
        seconds=86_400,
        expires=3_600,
        description="Forgets sessions that have expired, and attempts to sign in that are older than 90 days.",
    ),
    Schedule(
        name="forget servers",
        task="articles.tasks.forget_servers",
        seconds=86_400,
        expires=3_600,
        description="Forgets when servers were asked that nobody has asked for a day.",
    ),
]


def install(*, using: str = DEFAULT_DB_ALIAS, apps: Apps = installed, **signal: Any) -> None:
    """Make the schedules that are missing; those that exist stay as a person has left them.

    A receiver of post_migrate. Before the scheduler's tables are there (`migrate` of a single app) nothing is done.
    """
    if not is_known(apps, IntervalSchedule, PeriodicTask):
        return
    intervals = apps.get_model("django_celery_beat", "IntervalSchedule").objects.using(using)
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects.using(using)
    for schedule in SCHEDULES:
        if tasks.filter(name=schedule.name).exists():
            continue
        interval, _created = intervals.get_or_create(every=schedule.seconds, period=IntervalSchedule.SECONDS)
        tasks.create(
            name=schedule.name,
            task=schedule.task,
            interval=interval,
            expire_seconds=schedule.expires,
            description=schedule.description,
        )
