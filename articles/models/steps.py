"""Rows that a worker takes on to their next step: due, claimed under a lease, and written only by who holds it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self, TypeVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from articles import leases
from articles.leases import Taken

# A row that was begun more often may be what its workers die of: that one waits for its lease.
MOST_BEGUN = 2


class Stepped(models.Model):
    """A row with a next step.

    `next_step_at` is when that step is due, the lease of who takes it now, and NULL when there is nothing left to do.
    `attempts` counts how often the step was begun. The model itself brings a `status`, or
    what its queryset calls `state_field`.
    """

    next_step_at = models.DateTimeField(_("next step"), null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, editable=False)
    last_error = models.TextField(_("last error"), blank=True, editable=False)

    class Meta:
        abstract = True


Row = TypeVar("Row", bound=Stepped)


class SteppedQuerySet(models.QuerySet[Row]):
    # What the model calls its status.
    state_field = "status"

    def due(self, now: datetime | None = None) -> Self:
        """Rows whose next step may be taken now, the longest waiting first."""
        return self.filter(next_step_at__lte=now or timezone.now()).order_by("next_step_at")

    def claim(self, pk: int, lease: timedelta) -> Row | None:
        """One of these rows under a new lease, or None if it is not due or somebody else was quicker.

        An attempt counts from here on, so that a row which kills its worker is given up, too.
        """
        now = timezone.now()
        row = self.due(now).filter(pk=pk).first()
        if row is None:
            return None
        # Noted first: a claim that fails leaves a lease that no row has.
        leases.mine.take(leases.Note(self.model._meta.label_lower, pk, now + lease))
        if not self.held(row).update(next_step_at=now + lease, attempts=models.F("attempts") + 1):
            return None
        row.next_step_at = now + lease
        row.attempts += 1
        return row

    def release(self, taken: Taken) -> int:
        """Make due what a dead process has left under a lease, but for what it may have died of; how many rows."""
        return leases.make_due(self.filter(attempts__lte=MOST_BEGUN), taken, "next_step_at")

    def held(self, row: Row) -> models.QuerySet[Row]:
        """The row as long as nobody has taken or changed its next step since it was read."""
        rows = self.model._default_manager.using(self.db)
        state = {self.state_field: getattr(row, self.state_field)}
        return rows.filter(pk=row.pk, next_step_at=row.next_step_at, **state)
