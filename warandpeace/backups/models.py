"""What the database remembers of its backups. Which ones can be restored, the files themselves say."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# A backup that failed is tried again after so long.
RETRY = timedelta(hours=1)


class BackupQuerySet(models.QuerySet["Backup"]):
    def verified(self) -> BackupQuerySet:
        return self.filter(state=Backup.State.VERIFIED)

    def interrupt(self) -> None:
        """Note that nobody makes those any more that were being made."""
        self.filter(state=Backup.State.RUNNING).update(state=Backup.State.INTERRUPTED)


class Backup(models.Model):
    """One run of `manage.py backup`. Verified: it was restored into a scratch database, and every table was equal."""

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        VERIFIED = "verified", _("verified")
        FAILED = "failed", _("failed")
        INTERRUPTED = "interrupted", _("interrupted")

    # After so long without a verified one something is wrong; Prometheus' rule BackupOld says the same.
    OLD = timedelta(hours=36)

    name = models.CharField(_("name"), max_length=60, unique=True)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.RUNNING)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    size = models.PositiveBigIntegerField(_("bytes"), null=True, blank=True)
    rows = models.PositiveBigIntegerField(_("rows"), null=True, blank=True)
    is_encrypted = models.BooleanField(_("encrypted"), default=False)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True)

    objects = BackupQuerySet.as_manager()

    class Meta:
        verbose_name = _("backup")
        verbose_name_plural = _("backups")
        ordering = ["-started_at", "-id"]
        indexes = [models.Index(fields=["state", "-started_at"], name="backup_newest_of_state")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def last_verified(cls) -> Backup | None:
        return cls.objects.verified().order_by("-started_at").first()

    @classmethod
    def age(cls, now: datetime) -> timedelta | None:
        """How old the data of the last verified backup is; None if there never was one."""
        last = cls.last_verified()
        return None if last is None else now - last.started_at

    @classmethod
    def is_due(cls, now: datetime) -> bool:
        """Whether the last verified one is older than BACKUP_HOURS, and none was begun a moment ago."""
        age = cls.age(now)
        is_old = age is None or age >= timedelta(hours=settings.BACKUP_HOURS)
        return is_old and not cls.objects.exclude(state=cls.State.VERIFIED).filter(started_at__gt=now - RETRY).exists()

    def end(self, state: Backup.State, **values: Any) -> None:
        """Note how it ended; whoever has restored an older database meanwhile has no such row."""
        Backup.objects.filter(pk=self.pk).update(state=state, finished_at=timezone.now(), **values)
