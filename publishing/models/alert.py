"""Something that administrators must hear about: one row a matter, however often it comes up."""

from __future__ import annotations

from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Alert(models.Model):
    """`key` names the matter (`message-7`), so that it is told once until it is over and comes up anew."""

    key = models.CharField(_("matter"), max_length=100, unique=True)
    text = models.CharField(_("text"), max_length=500)
    times = models.PositiveIntegerField(_("how often"), default=1)
    first_at = models.DateTimeField(_("first"), default=timezone.now)
    last_at = models.DateTimeField(_("last"), default=timezone.now)
    told_at = models.DateTimeField(_("told"), null=True, blank=True)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-last_at"]

    def __str__(self) -> str:
        return self.text

    @classmethod
    def sound(cls, key: str, text: str) -> None:
        """Note the matter; administrators are told in a moment, once."""
        row, created = cls.objects.get_or_create(key=key, defaults={"text": text[:500]})
        if not created:
            cls.objects.filter(pk=row.pk).update(times=F("times") + 1, last_at=timezone.now(), text=text[:500])

    @classmethod
    def is_over(cls, key: str) -> None:
        """The matter is settled: if it comes up again, it is told again."""
        cls.objects.filter(key=key).delete()
