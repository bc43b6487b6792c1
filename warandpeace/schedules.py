"""What beat rings, as rows that an operator may change in the admin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django_celery_beat.models import IntervalSchedule, PeriodicTask


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
        description="Finds every source, article and message that is due and rings for it. Switched off, nothing moves.",
    ),
]


def install(**signal: Any) -> None:
    """Make the schedules that are missing; those that exist stay as a person has left them. A post_migrate receiver."""
    for schedule in SCHEDULES:
        if PeriodicTask.objects.filter(name=schedule.name).exists():
            continue
        interval, _created = IntervalSchedule.objects.get_or_create(
            every=schedule.seconds, period=IntervalSchedule.SECONDS
        )
        PeriodicTask.objects.create(
            name=schedule.name,
            task=schedule.task,
            interval=interval,
            expire_seconds=schedule.expires,
            description=schedule.description,
        )
