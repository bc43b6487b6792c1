"""The processes that make calls, and what all of them did on a day."""

from __future__ import annotations

import socket
import uuid
from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from usage.models.totals import Totals, utc_day
from usage.revision import checked_out_commit


class ProcessSession(models.Model):
    """One life of one process of ours: when it began, when it was last seen, when it ended."""

    # A process says every minute that it lives; one that was not seen for so long is dead or hangs.
    LATE = timedelta(minutes=3)

    session_id = models.UUIDField(_("session"), primary_key=True)
    role = models.CharField(_("role"), max_length=20, blank=True)
    started_at = models.DateTimeField(_("started"))
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    git_sha = models.CharField(_("commit"), max_length=64, blank=True)
    container_id = models.CharField(_("host or container"), max_length=255, blank=True)
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("process session")
        verbose_name_plural = _("process sessions")
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["-started_at"], name="usage_session_newest")]

    def __str__(self) -> str:
        return f"{self.role} {self.started_at:%Y-%m-%d %H:%M}".strip()

    @classmethod
    def alive(cls, now: datetime) -> dict[str, int]:
        """How many processes of each role were seen lately."""
        seen = cls.objects.filter(ended_at=None, last_seen_at__gte=now - cls.LATE)
        return Counter(seen.values_list("role", flat=True))

    @classmethod
    def begin(cls, role: str) -> ProcessSession:
        """Note that this process (web, worker, beat, bot, a command) has begun to work."""
        now = timezone.now()
        return cls.objects.create(
            session_id=uuid.uuid4(),
            role=role,
            started_at=now,
            last_seen_at=now,
            git_sha=checked_out_commit(settings.BASE_DIR),
            container_id=socket.gethostname()[:255],
        )

    def seen(self) -> None:
        """Note that the process is alive; call it now and then, its age tells a hung process from a dead one."""
        type(self).objects.filter(pk=self.pk).update(last_seen_at=timezone.now())

    def end(self) -> None:
        """Note that the process ended by itself. A killed one keeps an empty end and an old `last_seen_at`."""
        now = timezone.now()
        type(self).objects.filter(pk=self.pk, ended_at=None).update(last_seen_at=now, ended_at=now)


class SessionStatsDaily(models.Model):
    """What all processes did on a UTC day."""

    day = models.DateField(_("day (UTC)"), primary_key=True)
    http_requests = models.PositiveBigIntegerField(_("HTTP requests"), default=0)
    articles_processed = models.PositiveBigIntegerField(_("articles processed"), default=0)
    tokens_in = models.PositiveBigIntegerField(_("tokens in"), default=0)
    tokens_out = models.PositiveBigIntegerField(_("tokens out"), default=0)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = Totals.as_manager()

    class Meta:
        verbose_name = _("daily statistics")
        verbose_name_plural = _("daily statistics")
        ordering = ["-day"]

    def __str__(self) -> str:
        return str(self.day)

    @classmethod
    def add(
        cls, *, http_requests: int = 0, articles_processed: int = 0, tokens_in: int = 0, tokens_out: int = 0
    ) -> None:
        """Add to the statistics of today (UTC), atomically. Make it a transaction's last step: all write this row."""
        now = timezone.now()
        cls.objects.add(
            {"day": utc_day(now)},
            {
                "http_requests": http_requests,
                "articles_processed": articles_processed,
                "tokens_in": tokens_in,
                "tokens_out": tokens_out,
            },
            updated_at=now,
        )
