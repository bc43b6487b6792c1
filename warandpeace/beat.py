"""The scheduler, whose every round counts as progress, and which no clock that is set back can stop."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django_celery_beat.schedulers import DatabaseScheduler

from usage.watchdog import work


class Scheduler(DatabaseScheduler):  # type: ignore[misc]  # the package has no types
    """Reads its schedules from the admin's rows."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """One round: ring what is due; gives the seconds until the next one."""
        with work.job():
            self.follow_clock()
            return float(super().tick(*args, **kwargs))

    def follow_clock(self) -> None:
        """Let no schedule wait until the clock is again where it was before it was set back."""
        now = timezone.now()
        for entry in (self._schedule or {}).values():
            # What was rung is noted in the model; the entry itself is as old as the last reading of the rows.
            if entry.model.last_run_at and entry.model.last_run_at > now:
                entry.last_run_at = entry.model.last_run_at = now
                self._heap = None  # in the order of the old times; made anew by the round
