"""A walk through a source's archive that can be stopped and resumed, and what the archive was found to hold."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from articles import leases
from articles.dates import EARLIEST
from articles.leases import Taken
from articles.models.source import Source


class BackfillRunQuerySet(models.QuerySet["BackfillRun"]):
    def live(self) -> BackfillRunQuerySet:
        """Runs that go on by themselves."""
        return self.filter(state__in=[BackfillRun.State.PENDING, BackfillRun.State.RUNNING])

    def due(self, now: datetime | None = None) -> BackfillRunQuerySet:
        """Runs whose next step may be taken now, of each source the oldest one only: one archive is read by one run."""
        earlier = self.model.objects.live().filter(source=models.OuterRef("source"), pk__lt=models.OuterRef("pk"))
        due = self.live().filter(next_step_at__lte=now or timezone.now())
        return due.filter(~models.Exists(earlier)).order_by("next_step_at")

    def held(self, run: BackfillRun) -> BackfillRunQuerySet:
        """The run's row as long as nobody has taken, paused or cancelled it since it was claimed."""
        return self.filter(pk=run.pk, state=BackfillRun.State.RUNNING, next_step_at=run.next_step_at)

    def release(self, taken: Taken) -> int:
        """Make due the steps that a dead process was taking; how many runs."""
        return leases.make_due(self.live(), taken, "next_step_at")

    def pause(self) -> int:
        """Stop runs after the step that is being taken, whose result is dropped; how many."""
        return self.live().update(state=BackfillRun.State.PAUSED, next_step_at=None)

    def resume(self) -> int:
        """Let runs that were paused, that failed or were cancelled go on from where they were; how many.

        Whoever still works on one loses it.
        """
        resumable = self.exclude(state=BackfillRun.State.DONE)
        return resumable.update(
            state=BackfillRun.State.PENDING, next_step_at=timezone.now(), attempts=0, error="", finished_at=None
        )

    def cancel(self) -> int:
        """End runs for good, as far as they have come; how many."""
        unfinished = self.exclude(state__in=[BackfillRun.State.DONE, BackfillRun.State.CANCELLED])
        return unfinished.update(
            state=BackfillRun.State.CANCELLED, next_step_at=None, finished_at=timezone.now(), attempts=0
        )


class BackfillRun(models.Model):
    """One walk from day to day or from page to page.

    `next_step_at` is when its next step is due and the lease of whoever takes it; NULL while it stands still.
    `checkpoint` says where it is; it is written in the transaction that stores what the step has found.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    class Direction(models.TextChoices):
        NEWEST_FIRST = "newest-first", _("newest first")
        OLDEST_FIRST = "oldest-first", _("oldest first")

    class Origin(models.TextChoices):
        PERSON = "person", _("a person")
        RECONCILE = "reconcile", _("reconciling")
        COMPARE = "compare", _("comparing, storing nothing")
        CATCH_UP = "catch-up", _("catching up")
        RETRY = "retry", _("trying dead letters again")

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="backfills", verbose_name=_("source"))
    date_from = models.DateField(_("from"))
    date_to = models.DateField(_("to"))
    direction = models.CharField(_("direction"), max_length=20, choices=Direction, default=Direction.NEWEST_FIRST)
    page_limit = models.PositiveIntegerField(
        _("pages at most"), null=True, blank=True, help_text=_("Empty: as many as there are.")
    )
    with_content = models.BooleanField(
        _("fetch full text"), default=True, db_default=True, help_text=_("From each article's page.")
    )
    origin = models.CharField(
        _("begun by"),
        max_length=20,
        choices=Origin,
        default=Origin.PERSON,
        db_default=Origin.PERSON.value,
        editable=False,
    )
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.PENDING)
    next_step_at = models.DateTimeField(_("next step"), null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("failures in a row"), default=0, db_default=0, editable=False)
    checkpoint = models.JSONField(_("checkpoint"), default=dict, blank=True)
    goal = models.PositiveIntegerField(_("goal"), null=True, blank=True)
    pages = models.PositiveIntegerField(_("pages read"), default=0)
    created_count = models.PositiveIntegerField(_("new"), default=0)
    updated_count = models.PositiveIntegerField(_("updated"), default=0)
    unchanged_count = models.PositiveIntegerField(_("unchanged"), default=0, db_default=0)
    text_count = models.PositiveIntegerField(_("texts fetched"), default=0, db_default=0)
    failed_count = models.PositiveIntegerField(_("failed"), default=0)
    working_seconds = models.FloatField(_("time taken, seconds"), default=0, db_default=0.0, editable=False)
    error = models.TextField(_("error"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = BackfillRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("backfill")
        verbose_name_plural = _("backfills")
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["next_step_at"], condition=models.Q(next_step_at__isnull=False), name="backfill_step_due"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(date_from__lte=models.F("date_to")), name="backfill_range_not_reversed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.date_from} – {self.date_to}"

    def clean(self) -> None:
        """Raises ValidationError for days that end before they begin, that are still to come in the source's zone, or
        before the web. Only of a new run: nobody can change the days of another one.
        """
        if not self._state.adding:
            return
        if self.date_from and self.date_from < EARLIEST.date():
            raise ValidationError({"date_from": _("It is before the web: write a year from 1990 on.")})
        if self.date_from and self.date_to and self.date_from > self.date_to:
            raise ValidationError({"date_to": _("It is earlier than the first day.")})
        zone = ZoneInfo(self.source.time_zone) if self.source_id else None
        if self.date_to and self.date_to > timezone.localdate(timezone=zone):
            raise ValidationError({"date_to": _("It is still to come: no archive has anything of it.")})

    @property
    def days(self) -> int:
        """How many days the run is for."""
        return (self.date_to - self.date_from).days + 1

    @property
    def days_done(self) -> int:
        """How many of them are at an end."""
        if self.state == self.State.DONE and not self.page_limit:
            return self.days
        return max(0, min(int(self.checkpoint.get("days_done", 0)), self.days))

    @property
    def pages_per_minute(self) -> float:
        """How many pages of lists were read in a minute of work; nought before the first."""
        read = self.pages - int(self.checkpoint.get("pages_before", 0))
        return read * 60 / self.working_seconds if self.working_seconds else 0.0

    @property
    def time_left(self) -> timedelta | None:
        """How long the rest takes at the speed so far; None while nobody can tell."""
        if self.state == self.State.DONE or not self.days_done or not self.working_seconds:
            return None
        return timedelta(seconds=self.working_seconds / self.days_done * (self.days - self.days_done))

    def note_lease(self, until: datetime) -> None:
        """Note beside the database what this process is about to hold, so that its death costs no more than seconds."""
        leases.mine.take(leases.Note(self._meta.label_lower, self.pk, until))

    def claim(self, lease: timedelta) -> bool:
        """Take the step of a run that is as it was read; False if somebody else was quicker."""
        now = timezone.now()
        self.note_lease(now + lease)
        as_read = BackfillRun.objects.live().filter(pk=self.pk, next_step_at=self.next_step_at)
        started_at = self.started_at or now
        if not as_read.update(state=self.State.RUNNING, next_step_at=now + lease, started_at=started_at):
            return False
        self.state, self.next_step_at, self.started_at = self.State.RUNNING, now + lease, started_at
        return True


class ArchiveDay(models.Model):
    """What a source's archive listed for one day of the source's own zone, when it was last looked at to its end."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="archive_days", verbose_name=_("source"))
    day = models.DateField(_("day"))
    listed = models.PositiveIntegerField(_("listed"), default=0)
    missing = models.PositiveIntegerField(_("missing"), default=0, help_text=_("Listed then, and not in the database."))
    checked_at = models.DateTimeField(_("looked at"), default=timezone.now)

    class Meta:
        verbose_name = _("day of an archive")
        verbose_name_plural = _("days of archives")
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["source", "day"], name="unique_day_of_archive")]

    def __str__(self) -> str:
        return f"{self.source} {self.day}"
