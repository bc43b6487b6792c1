"""What a language model makes of an article beyond its summary: what happened, to whom, and what may come of it."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from articles.factcheck.findings import bars_approval
from articles.models.article import Article
from articles.models.steps import Stepped, SteppedQuerySet
from usage.models import ApiUsageEvent


class ForecastNoteQuerySet(SteppedQuerySet["ForecastNote"]):
    def waiting(self) -> Self:
        """Notes that are still to be written."""
        return self.filter(status=ForecastNote.Status.WAITING)

    def written(self) -> Self:
        return self.filter(status=ForecastNote.Status.WRITTEN)

    def ready_to_publish(self) -> Self:
        """Notes that are offered to service channels and have not been taken yet, the oldest first."""
        return self.filter(offered_at__isnull=False).order_by("offered_at", "pk")


class ForecastNote(Stepped):
    """One version of an article's forecast note.

    Its row is made first, when somebody or its source asks for it, and a worker writes it: `data` is then what
    `articles.forecasts.form` describes, checked. `offered_at` hands it over to the service channels: publishing takes
    it and clears it. An article has one waiting note at most, so that asking twice is paid for once.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("to be written")
        WRITTEN = "written", _("written")
        SKIPPED = "skipped", _("skipped")
        FAILED = "failed", _("failed")

    article = models.ForeignKey(
        Article, on_delete=models.CASCADE, related_name="forecast_notes", verbose_name=_("article")
    )
    version = models.PositiveIntegerField(_("version"))
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.WAITING)
    wanted_provider = models.CharField(
        _("provider to be asked"),
        max_length=100,
        blank=True,
        editable=False,
        help_text=_("Empty: whoever is first by priority."),
    )
    data = models.JSONField(_("note"), default=dict, blank=True)
    findings = models.JSONField(_("findings of the fact check"), default=list, blank=True)
    content_hash = models.CharField(
        _("hash of the article's text"), max_length=64, blank=True, editable=False, help_text=_("As it was analysed.")
    )
    provider = models.CharField(_("provider"), max_length=100, blank=True)
    model = models.CharField(_("model"), max_length=100, blank=True)
    prompt_version = models.CharField(_("prompt version"), max_length=50, blank=True)
    usage_event = models.ForeignKey(
        ApiUsageEvent, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("API call")
    )
    offered_at = models.DateTimeField(_("offered to channels"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("asked for"), default=timezone.now)
    written_at = models.DateTimeField(_("written"), null=True, blank=True)

    objects = ForecastNoteQuerySet.as_manager()

    class Meta:
        verbose_name = _("forecast note")
        verbose_name_plural = _("forecast notes")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="forecast_newest"),
            models.Index(fields=["next_step_at"], condition=models.Q(next_step_at__isnull=False), name="forecast_due"),
            models.Index(fields=["offered_at"], condition=models.Q(offered_at__isnull=False), name="forecast_offered"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["article", "version"], name="unique_version_of_forecast"),
            models.UniqueConstraint(
                fields=["article"], condition=models.Q(status="waiting"), name="one_waiting_forecast_of_article"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.article_id} v{self.version}"

    @property
    def is_outdated(self) -> bool:
        """Whether the article's text has changed since it was analysed."""
        return bool(self.content_hash) and self.content_hash != self.article.content_hash

    @property
    def bars_approval(self) -> bool:
        """Whether the fact check found something that an editor must look at before the note goes out."""
        return bars_approval(self.findings)
