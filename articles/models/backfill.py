"""A walk through a source's archive that can be stopped and resumed."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from articles.models.source import Source


class BackfillRun(models.Model):
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

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="backfills", verbose_name=_("source"))
    date_from = models.DateField(_("from"))
    date_to = models.DateField(_("to"))
    direction = models.CharField(_("direction"), max_length=20, choices=Direction, default=Direction.NEWEST_FIRST)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.PENDING)
    checkpoint = models.JSONField(_("checkpoint"), default=dict, blank=True)
    goal = models.PositiveIntegerField(_("goal"), null=True, blank=True)
    pages = models.PositiveIntegerField(_("pages read"), default=0)
    created_count = models.PositiveIntegerField(_("new"), default=0)
    updated_count = models.PositiveIntegerField(_("updated"), default=0)
    failed_count = models.PositiveIntegerField(_("failed"), default=0)
    error = models.TextField(_("error"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("backfill")
        verbose_name_plural = _("backfills")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(date_from__lte=models.F("date_to")), name="backfill_range_not_reversed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.date_from} – {self.date_to}"
