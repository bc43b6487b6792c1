"""What happened in a day, a week, a month or a year, for one channel. Every version is kept; one is current."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from articles.models import Article
from publishing.models.channel import Channel


class Digest(models.Model):
    class Period(models.TextChoices):
        DAILY = "daily", _("daily")
        WEEKLY = "weekly", _("weekly")
        MONTHLY = "monthly", _("monthly")
        ANNUAL = "annual", _("annual")

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="digests", verbose_name=_("channel"))
    period = models.CharField(_("period"), max_length=10, choices=Period)
    period_start = models.DateField(_("first day"))
    period_end = models.DateField(_("last day"))
    version = models.PositiveIntegerField(_("version"), default=1)
    is_current = models.BooleanField(_("current"), default=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    text = models.TextField(_("text"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("digest")
        verbose_name_plural = _("digests")
        ordering = ["-period_start", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "period", "period_start", "version"], name="unique_version_of_digest"
            ),
            models.UniqueConstraint(
                fields=["channel", "period", "period_start"],
                condition=models.Q(is_current=True),
                name="one_current_digest_of_period",
            ),
            models.CheckConstraint(
                condition=models.Q(period_start__lte=models.F("period_end")), name="digest_period_not_reversed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_period_display()} {self.period_start}"


class DigestItem(models.Model):
    """An article's place in a digest."""

    digest = models.ForeignKey(Digest, on_delete=models.CASCADE, related_name="items", verbose_name=_("digest"))
    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="+", verbose_name=_("article"))
    position = models.PositiveIntegerField(_("position"))

    class Meta:
        verbose_name = _("digest item")
        verbose_name_plural = _("digest items")
        ordering = ["digest", "position"]
        constraints = [
            models.UniqueConstraint(fields=["digest", "article"], name="unique_article_of_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.digest_id}/{self.position}"
