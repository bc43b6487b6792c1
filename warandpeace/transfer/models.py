"""What the target keeps of a transfer: that it ran, what came of it, and what it could not hold."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Transfer(models.Model):
    """One run of `manage.py transfer` into this database."""

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        PROVED = "proved", _("proved")
        UNPROVED = "unproved", _("not proved")
        INTERRUPTED = "interrupted", _("interrupted")

    origin = models.CharField(_("origin"), max_length=64, help_text=_("Names the source, wherever its file lies."))
    source = models.CharField(_("source"), max_length=500)
    target = models.CharField(_("target"), max_length=500)
    batch_size = models.PositiveIntegerField(_("rows in a block"))
    options = models.JSONField(_("options"), default=dict, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.RUNNING)
    rebuild = models.JSONField(
        _("to be rebuilt"), default=list, blank=True, help_text=_("Indexes and keys that were dropped to load faster.")
    )
    report = models.JSONField(_("report"), default=dict, blank=True)
    error = models.TextField(_("error"), blank=True)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        ordering = ["-started_at", "-id"]

    def __str__(self) -> str:
        return f"{self.source} {self.started_at:%Y-%m-%d %H:%M}"


class TransferBlock(models.Model):
    """A checkpoint: written in the same transaction as the rows it speaks of."""

    origin = models.CharField(_("origin"), max_length=64)
    stream = models.CharField(_("table"), max_length=100)
    cell = models.CharField(_("cell"), max_length=64)
    read = models.PositiveIntegerField(_("read"))
    transferred = models.PositiveIntegerField(_("transferred"))
    quarantined = models.PositiveIntegerField(_("quarantined"))
    merged = models.JSONField(_("merged"), default=list, help_text=_("Pairs: the source's row, and what it became."))
    skipped = models.JSONField(_("skipped"), default=dict)
    checksum = models.CharField(_("checksum"), max_length=32)
    marks = models.BinaryField(_("marks"))
    written_at = models.DateTimeField(_("written"), default=timezone.now)
    proved_at = models.DateTimeField(_("proved"), null=True, blank=True)

    class Meta:
        verbose_name = _("block of a transfer")
        verbose_name_plural = _("blocks of transfers")
        constraints = [models.UniqueConstraint(fields=["origin", "stream", "cell"], name="unique_block_of_transfer")]

    def __str__(self) -> str:
        return f"{self.stream} {self.cell}"


class QuarantinedRow(models.Model):
    """A row of the source that this database can't hold. It goes away when a later transfer can take it."""

    transfer = models.ForeignKey(
        Transfer, on_delete=models.CASCADE, related_name="quarantine", verbose_name=_("transfer")
    )
    origin = models.CharField(_("origin"), max_length=64, editable=False)
    stream = models.CharField(_("table"), max_length=100)
    cell = models.CharField(_("cell"), max_length=64, editable=False)
    source_key = models.CharField(_("key in the source"), max_length=200)
    reason = models.TextField(_("reason"))
    original = models.JSONField(_("original values"), default=dict)
    created_at = models.DateTimeField(_("found"), default=timezone.now)

    class Meta:
        verbose_name = _("row in quarantine")
        verbose_name_plural = _("quarantine")
        ordering = ["stream", "id"]
        indexes = [models.Index(fields=["origin", "stream", "cell"], name="quarantine_cell")]

    def __str__(self) -> str:
        return f"{self.stream} {self.source_key}"


class CorrectedRow(models.Model):
    """What a person has put right of a row that was in quarantine; it is read in the place of what the source says."""

    transfer = models.ForeignKey(
        Transfer, on_delete=models.CASCADE, related_name="corrections", verbose_name=_("transfer")
    )
    origin = models.CharField(_("origin"), max_length=64, editable=False)
    stream = models.CharField(_("table"), max_length=100)
    source_key = models.CharField(_("key in the source"), max_length=200)
    values = models.JSONField(_("corrected values"), default=dict)
    created_at = models.DateTimeField(_("put right"), default=timezone.now)

    class Meta:
        verbose_name = _("row put right")
        verbose_name_plural = _("rows put right")
        ordering = ["stream", "id"]
        constraints = [
            models.UniqueConstraint(fields=["origin", "stream", "source_key"], name="unique_correction_of_row")
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.source_key}"
