from __future__ import annotations

import pytest
from celery import current_app
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from warandpeace import schedules

pytestmark = pytest.mark.django_db


def test_the_sweep_is_there_after_migrate():
    sweep = PeriodicTask.objects.get(name="sweep")

    assert sweep.enabled
    assert (sweep.interval.every, sweep.interval.period) == (3, IntervalSchedule.SECONDS)
    assert sweep.expire_seconds == 10


def test_every_schedule_rings_a_task_that_exists():
    current_app.loader.import_default_modules()

    assert {schedule.task for schedule in schedules.SCHEDULES} <= set(current_app.tasks)


def test_what_a_person_has_changed_stays():
    slow = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.HOURS)
    PeriodicTask.objects.filter(name="sweep").update(enabled=False, interval=slow)

    schedules.install()

    sweep = PeriodicTask.objects.get(name="sweep")
    assert not sweep.enabled
    assert sweep.interval == slow
