"""What somebody should see to: a key that was refused, a budget that is spent."""

from __future__ import annotations

import logging

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from prometheus_client import Counter

logger = logging.getLogger(__name__)

raised = Counter("llm_alerts_total", "Alerts about language models, each time one is raised.", ["code"])


class Alert(models.Model):
    """One thing that needs a person, once, however often it happens; open until somebody resolves it."""

    class Code(models.TextChoices):
        KEY_REFUSED = "key_refused", _("key refused")
        REGION_BLOCKED = "region_blocked", _("region blocked")
        BUDGET_SPENT = "budget_spent", _("budget spent")

    code = models.CharField(_("kind"), max_length=30, choices=Code)
    subject = models.CharField(_("what"), max_length=200)
    text = models.TextField(_("text"))
    count = models.PositiveIntegerField(_("times"), default=1)
    first_at = models.DateTimeField(_("first"), default=timezone.now)
    last_at = models.DateTimeField(_("last"), default=timezone.now)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-last_at"]
        constraints = [models.UniqueConstraint(fields=["code", "subject"], name="unique_alert_of_thing")]

    def __str__(self) -> str:
        return f"{self.get_code_display()}: {self.subject}"

    @classmethod
    def sound(cls, code: Code, subject: str, text: str, *, repeats: bool = True) -> None:
        """Raise an alert, or raise it again. The row, a log line and a metric say so; no secret may be in the text.

        One that does not repeat is said once and stays as people leave it.
        """
        now = timezone.now()
        alert, is_new = cls.objects.get_or_create(code=code, subject=subject, defaults={"text": text})
        if not is_new and not repeats:
            return
        if not is_new:
            cls.objects.filter(pk=alert.pk).update(
                text=text, count=models.F("count") + 1, last_at=now, resolved_at=None
            )
        raised.labels(code).inc()
        logger.error("%s %s: %s", code, subject, text)
