"""What failed for good: one row a thing, kept until somebody retries or discards it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class DeadLetter(models.Model):
    class EntityType(models.TextChoices):
        SOURCE = "source", _("source")
        PAGE = "page", _("page")
        ARTICLE = "article", _("article")
        SUMMARY = "summary", _("summary")
        FORECAST = "forecast", _("forecast note")
        POST = "post", _("post")

    entity_type = models.CharField(_("kind"), max_length=10, choices=EntityType)
    entity_ref = models.CharField(_("what"), max_length=2048, help_text=_("An address or a row's number."))
    error_code = models.CharField(_("error"), max_length=100, blank=True)
    error_payload = models.TextField(_("details"), blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=1)
    first_seen_at = models.DateTimeField(_("first seen"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    next_attempt_at = models.DateTimeField(
        _("next attempt"), null=True, blank=True, help_text=_("Empty: it is being tried, or waits for a person.")
    )
    retries = models.PositiveIntegerField(_("retried by itself"), default=0)
    retried_at = models.DateTimeField(_("tried again"), null=True, blank=True)

    class Meta:
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        ordering = ["-last_seen_at"]
        indexes = [
            models.Index(fields=["-last_seen_at"], name="dead_letter_newest"),
            models.Index(
                fields=["next_attempt_at"], condition=models.Q(next_attempt_at__isnull=False), name="dead_letter_due"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["entity_type", "entity_ref"], name="unique_dead_letter_of_thing")
        ]

    def __str__(self) -> str:
        return f"{self.entity_type} {self.entity_ref}"

    @classmethod
    def record(cls, entity_type: EntityType, entity_ref: str, code: str, payload: str, attempts: int) -> None:
        """Write down that a thing failed for good; a thing already known keeps its first time and adds its attempts."""
        seen, created = cls.objects.get_or_create(
            entity_type=entity_type,
            entity_ref=entity_ref,
            defaults={"error_code": code[:100], "error_payload": payload, "attempts": attempts},
        )
        if not created:
            cls.objects.filter(pk=seen.pk).update(
                error_code=code[:100],
                error_payload=payload,
                attempts=models.F("attempts") + attempts,
                last_seen_at=timezone.now(),
            )
