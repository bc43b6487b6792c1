"""What failed for good: one row a thing, kept until somebody retries or discards it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# When a thing is tried again by itself: after so long, then after four times as long, and once more.
FIRST_PAUSE = timedelta(hours=1)
PAUSE_GROWS = 4
MOST_RETRIES = 3


class DeadLetterQuerySet(models.QuerySet["DeadLetter"]):
    def due(self, now: datetime | None = None) -> DeadLetterQuerySet:
        """Those that are to be tried again by themselves now, the longest waiting first."""
        return self.filter(next_attempt_at__lte=now or timezone.now()).order_by("next_attempt_at")


class DeadLetter(models.Model):
    """One thing that failed for good, however often; the row goes when the thing succeeds or somebody discards it."""

    class EntityType(models.TextChoices):
        SOURCE = "source", _("source")
        PAGE = "page", _("page")
        ARTICLE = "article", _("article")
        SUMMARY = "summary", _("summary")
        FORECAST = "forecast", _("forecast note")
        POST = "post", _("post")

    BY_PEOPLE_ONLY = (EntityType.POST,)

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

    objects = DeadLetterQuerySet.as_manager()

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
        return f"{self.get_entity_type_display()} {self.entity_ref}"

    @classmethod
    def record(
        cls, entity_type: str, entity_ref: str, code: str, payload: str, attempts: int, *, hopeless: bool = False
    ) -> None:
        """Write down that a thing failed for good; a thing already known keeps its first time and adds its attempts.

        It is tried again by itself a few times, with pauses that grow, unless it is `hopeless` or a post: what a
        channel refused is for people to decide.
        """
        now = timezone.now()
        error = {"error_code": code[:100], "error_payload": payload}
        by_itself = not hopeless and entity_type not in cls.BY_PEOPLE_ONLY
        first = {"attempts": attempts, "next_attempt_at": now + FIRST_PAUSE if by_itself else None}
        letter, is_new = cls.objects.get_or_create(
            entity_type=entity_type, entity_ref=entity_ref, defaults=error | first
        )
        if is_new:
            return
        cls.objects.filter(pk=letter.pk).update(
            attempts=models.F("attempts") + attempts,
            last_seen_at=now,
            next_attempt_at=now + FIRST_PAUSE * PAUSE_GROWS**letter.retries
            if by_itself and letter.retries < MOST_RETRIES
            else None,
            **error,
        )

    @classmethod
    def resolve(cls, entity_type: str, entity_ref: str) -> bool:
        """Forget the failure of a thing that has succeeded; whether there was one."""
        return bool(cls.objects.filter(entity_type=entity_type, entity_ref=entity_ref).delete()[0])
