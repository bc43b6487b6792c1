"""The scheduler, whose every round counts as progress."""

from __future__ import annotations

from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler

from warandpeace.watchdog import work


class Scheduler(DatabaseScheduler):  # type: ignore[misc]  # the package has no types
    """Reads its schedules from the admin's rows."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """One round: ring what is due; gives the seconds until the next one."""
        with work.job():
            return float(super().tick(*args, **kwargs))
