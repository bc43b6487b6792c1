"""One look of the reconciler into a channel: what stands under a number, and what became of the copy it took."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from publishing.models.message import Attempt


class ProbeQuerySet(models.QuerySet["Probe"]):
    def to_be_removed(self, now: datetime | None = None) -> ProbeQuerySet:
        """Copies that still stand in an audit chat, and whose next removal is due."""
        return self.filter(remove_at__lte=now or timezone.now())


class Probe(models.Model):
    """Written before the post is forwarded, so that no copy can stand in the audit chat that nobody knows of."""

    class Found(models.TextChoices):
        NO_ANSWER = "no_answer", _("no answer")
        NOTHING = "nothing", _("nothing stands there")
        OTHER = "other", _("another post")
        MATCH = "match", _("the post that was looked for")

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="probes", verbose_name=_("attempt"))
    number = models.BigIntegerField(_("number in the channel"))
    audit_chat_id = models.CharField(_("audit chat"), max_length=64)
    looked_at = models.DateTimeField(_("looked up"), default=timezone.now)
    found = models.CharField(_("found"), max_length=10, choices=Found, default=Found.NO_ANSWER)
    text = models.TextField(_("its text"), blank=True)
    copy_number = models.BigIntegerField(_("number of the copy in the audit chat"), null=True, blank=True)
    # When the copy is to be removed; empty when it is gone, or was given up.
    remove_at = models.DateTimeField(_("to be removed"), null=True, blank=True)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)
    tries = models.PositiveSmallIntegerField(_("tries to remove it"), default=0)
    error = models.TextField(_("why it was not removed"), blank=True)

    objects = ProbeQuerySet.as_manager()

    class Meta:
        verbose_name = _("look into a channel")
        verbose_name_plural = _("looks into channels")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["remove_at"], condition=models.Q(remove_at__isnull=False), name="probe_to_be_removed")
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.found}"

    @property
    def is_left(self) -> bool:
        """Whether its copy still stands in the audit chat, as far as is known."""
        return self.copy_number is not None and self.removed_at is None
