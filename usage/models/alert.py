"""What somebody should see to: a key that was refused, a budget that is spent, a post nobody knows about."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from prometheus_client import Counter

logger = logging.getLogger(__name__)

raised = Counter("alerts_total", "Alerts, each time one is raised.", ["code"])


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> AlertQuerySet:
        return self.filter(resolved_at=None)

    def untold(self) -> AlertQuerySet:
        """Open alerts that administrators have not been written about yet, the oldest first."""
        return self.open().filter(told_at=None).order_by("first_at")

    def resolve(self) -> int:
        """Close those that are open; how many."""
        return self.open().update(resolved_at=timezone.now())

    def forget(self, before: datetime) -> int:
        """Delete what was resolved before then; how many."""
        return self.filter(resolved_at__lt=before).delete()[0]


class Alert(models.Model):
    """One matter that needs a person, once, however often it comes up; open until it is over or somebody resolves it.

    `code` is the kind of matter, a short word of the code that raises it and a label of the metric, so there are few;
    `subject` tells one from another.
    """

    class Code(models.TextChoices):
        KEY_REFUSED = "key_refused"
        REGION_BLOCKED = "region_blocked"
        BUDGET_SPENT = "budget_spent"
        MODEL_SILENT = "model_silent"

    code = models.CharField(_("kind"), max_length=30)
    subject = models.CharField(_("what"), max_length=200)
    text = models.TextField(_("text"))
    count = models.PositiveIntegerField(_("times"), default=1)
    first_at = models.DateTimeField(_("first"), default=timezone.now)
    last_at = models.DateTimeField(_("last"), default=timezone.now)
    told_at = models.DateTimeField(_("told"), null=True, blank=True)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-last_at"]
        constraints = [models.UniqueConstraint(fields=["code", "subject"], name="unique_alert_of_thing")]
        indexes = [models.Index(fields=["first_at"], condition=models.Q(resolved_at=None), name="alert_open")]

    def __str__(self) -> str:
        return self.text

    @classmethod
    def sound(cls, code: str, subject: str, text: str, *, repeats: bool = True) -> None:
        """Raise an alert, or raise it again. The row, a log line and a metric say so; no secret may be in the text.

        Administrators are told once until it is over. One that does not repeat stays as people leave it.
        """
        alert, is_new = cls.objects.get_or_create(code=code, subject=subject, defaults={"text": text})
        if not is_new and not repeats:
            return
        if not is_new:
            alert._comes_again(text)
        raised.labels(code).inc()
        logger.error("%s %s: %s", code, subject, text)

    @classmethod
    def is_over(cls, code: str, subject: str) -> None:
        """The matter is settled: if it comes up again, it is told again."""
        cls.objects.filter(code=code, subject=subject).resolve()

    def _comes_again(self, text: str) -> None:
        now = timezone.now()
        row = Alert.objects.filter(pk=self.pk)
        with transaction.atomic():
            row.exclude(resolved_at=None).update(told_at=None, first_at=now)
            row.update(text=text, count=models.F("count") + 1, last_at=now, resolved_at=None)
