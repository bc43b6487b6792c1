"""A clock that is set back keeps no schedule waiting."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from warandpeace.beat import Scheduler

pytestmark = pytest.mark.django_db


def test_what_was_rung_by_a_clock_that_is_set_back_since_is_rung_again():
    sweep = PeriodicTask.objects.get(name="sweep")
    scheduler = Scheduler(app=current_app, lazy=True)
    scheduler._schedule = {"sweep": Scheduler.Entry(sweep, app=current_app)}
    sweep.last_run_at = timezone.now() + timedelta(hours=1)
    waited_for = Scheduler.Entry(sweep, app=current_app).is_due().next

    scheduler.follow_clock()

    assert waited_for > 3000
    assert Scheduler.Entry(sweep, app=current_app).is_due().next <= 3
