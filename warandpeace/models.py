"""Rows about the installation itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from warandpeace.backups.models import Backup
from warandpeace.signing_in.models import SignIn
from warandpeace.transfer.models import CorrectedRow, QuarantinedRow, Transfer, TransferBlock

__all__ = ["Backup", "CorrectedRow", "Heartbeat", "Milestone", "QuarantinedRow", "SignIn", "Transfer", "TransferBlock"]


class Heartbeat(models.Model):
    """When a part of the system last made progress. A process that lives but does nothing has an old heartbeat."""

    # What beats does so every few seconds; after so long it has stopped, whatever lives.
    LATE = timedelta(minutes=1)

    name = models.CharField(_("name"), max_length=50, primary_key=True)
    beat_at = models.DateTimeField(_("last progress"), default=timezone.now)

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def beat(cls, name: str) -> None:
        """Note that the named part has just made progress."""
        cls.objects.update_or_create(name=name, defaults={"beat_at": timezone.now()})

    @classmethod
    def age(cls, name: str, now: datetime | None = None) -> timedelta | None:
        """How long ago the named part last made progress; None if it never did."""
        beat_at = cls.objects.filter(name=name).values_list("beat_at", flat=True).first()
        return None if beat_at is None else (now or timezone.now()) - beat_at


class Milestone(models.Model):
    """Something that is done once in the life of an installation, and never again, whatever became of it."""

    name = models.CharField(_("name"), max_length=50, primary_key=True)
    reached_at = models.DateTimeField(_("reached"), default=timezone.now)

    class Meta:
        verbose_name = _("milestone")
        verbose_name_plural = _("milestones")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def reach(cls, name: str) -> bool:
        """Whether this call is the first to reach the milestone."""
        return cls.objects.get_or_create(name=name)[1]
