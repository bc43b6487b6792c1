"""What happened in a day, a week, a month or a year, for one channel. Every version is kept; one is current."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from articles.factcheck.findings import bars_approval
from articles.models import Article
from articles.models.steps import Stepped, SteppedQuerySet
from publishing.models.channel import Channel
from usage.models import ApiUsageEvent


class Period(models.TextChoices):
    DAILY = "daily", _("daily")
    WEEKLY = "weekly", _("weekly")
    MONTHLY = "monthly", _("monthly")
    ANNUAL = "annual", _("annual")


class DigestQuerySet(SteppedQuerySet["Digest"]):
    state_field = "state"

    def in_the_making(self) -> Self:
        """Versions that are not written yet; one a period at most."""
        return self.filter(state=Digest.State.DRAFT)

    def of_period(self, digest: Digest) -> Self:
        """All versions of the digest's period, itself among them."""
        return self.filter(channel=digest.channel_id, period=digest.period, period_start=digest.period_start)


class Digest(Stepped):
    """One version of a period's digest. `period_start` and `period_end` are days of the channel's time zone.

    Its row is made first, and workers write it step by step: `next_step_at` is when the next step is due, and the lease
    of who takes it. A version becomes current when all of it is written, never before. `text` is what its sections say
    together. `revision` counts what editors and rewriting have changed since. Digests of the old bot have a text alone.
    """

    Period = Period

    class State(models.TextChoices):
        DRAFT = "draft", _("being written")
        READY = "ready", _("ready")
        EMPTY = "empty", _("nothing to tell")
        FAILED = "failed", _("failed")

    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="digests", verbose_name=_("channel"))
    period = models.CharField(_("period"), max_length=10, choices=Period)
    period_start = models.DateField(_("first day"))
    period_end = models.DateField(_("last day"))
    version = models.PositiveIntegerField(_("version"), default=1)
    is_current = models.BooleanField(_("current"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    title = models.CharField(_("title"), max_length=300, blank=True)
    text = models.TextField(_("text"), blank=True)
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    approves_itself = models.BooleanField(
        _("goes out by itself"),
        default=False,
        help_text=_("Without an editor's approval, unless its fact check finds something."),
    )
    is_scheduled = models.BooleanField(_("made by its schedule"), default=False, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("asked for by"),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = DigestQuerySet.as_manager()

    class Meta:
        verbose_name = _("digest")
        verbose_name_plural = _("digests")
        ordering = ["-period_start", "-version"]
        indexes = [
            models.Index(fields=["next_step_at"], condition=models.Q(next_step_at__isnull=False), name="digest_due")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "period", "period_start", "version"], name="unique_version_of_digest"
            ),
            models.UniqueConstraint(
                fields=["channel", "period", "period_start"],
                condition=models.Q(is_current=True),
                name="one_current_digest_of_period",
            ),
            models.UniqueConstraint(
                fields=["channel", "period", "period_start"],
                condition=models.Q(state="draft"),
                name="one_digest_of_period_in_the_making",
            ),
            models.CheckConstraint(
                condition=models.Q(period_start__lte=models.F("period_end")), name="digest_period_not_reversed"
            ),
        ]

    def __str__(self) -> str:
        return self.title or f"{self.get_period_display()} {self.period_start}"


class DigestSection(models.Model):
    """What a digest says of one story, or of one stretch of a long period, and what it is made of.

    Stories that don't get in are sections too, without a place in the text (`is_included`), so that editors can take
    them. `is_awaited` says that a model has still to write it; `notes` are what it has condensed of a long source so
    far. `previous_text` is what stood there before the last change.
    """

    digest = models.ForeignKey(Digest, on_delete=models.CASCADE, related_name="sections", verbose_name=_("digest"))
    position = models.PositiveIntegerField(_("position"))
    heading = models.CharField(_("heading"), max_length=300, blank=True)
    text = models.TextField(_("text"), blank=True)
    previous_text = models.TextField(_("text before the last change"), blank=True)
    is_included = models.BooleanField(_("in the digest"), default=True)
    is_pinned = models.BooleanField(_("pinned"), default=False)
    is_edited = models.BooleanField(_("written by hand"), default=False)
    is_awaited = models.BooleanField(_("to be written"), default=False)
    instruction = models.CharField(_("instruction"), max_length=1000, blank=True)
    notes = models.JSONField(_("condensed so far"), default=list, blank=True, editable=False)
    findings = models.JSONField(_("findings of the fact check"), default=list, blank=True)
    provider = models.CharField(_("provider"), max_length=100, blank=True)
    model = models.CharField(_("model"), max_length=100, blank=True)
    prompt_version = models.CharField(_("prompt version"), max_length=50, blank=True)
    usage_event = models.ForeignKey(
        ApiUsageEvent, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("API call")
    )
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("edited by"),
    )
    error = models.TextField(_("error"), blank=True)

    class Meta:
        verbose_name = _("section of a digest")
        verbose_name_plural = _("sections of digests")
        ordering = ["digest", "position", "id"]

    def __str__(self) -> str:
        return self.heading or f"{self.digest_id}/{self.position}"

    @property
    def bars_approval(self) -> bool:
        """Whether the fact check found something that an editor must look at before the section goes out."""
        findings: list[dict[str, Any]] = self.findings
        return bars_approval(findings)


class DigestItem(models.Model):
    """What a section stands on: an article, or the digest of a shorter period."""

    digest = models.ForeignKey(Digest, on_delete=models.CASCADE, related_name="items", verbose_name=_("digest"))
    section = models.ForeignKey(
        DigestSection, on_delete=models.CASCADE, null=True, related_name="items", verbose_name=_("section")
    )
    article = models.ForeignKey(
        Article, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("article")
    )
    part = models.ForeignKey(
        Digest,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="used_in",
        verbose_name=_("digest of a shorter period"),
    )
    position = models.PositiveIntegerField(_("position"))
    is_dropped = models.BooleanField(_("left aside"), default=False)

    class Meta:
        verbose_name = _("digest item")
        verbose_name_plural = _("digest items")
        ordering = ["digest", "position"]
        constraints = [
            models.UniqueConstraint(fields=["digest", "article"], name="unique_article_of_digest"),
            models.UniqueConstraint(fields=["digest", "part"], name="unique_part_of_digest"),
            models.CheckConstraint(
                condition=models.Q(article__isnull=False, part__isnull=True)
                | models.Q(article__isnull=True, part__isnull=False),
                name="digest_item_is_article_or_part",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.digest_id}/{self.position}"


class DigestPlan(models.Model):
    """That a channel has a digest of every period of a kind, made once the period is over, at this time of its zone."""

    channel = models.ForeignKey(
        Channel, on_delete=models.CASCADE, related_name="digest_plans", verbose_name=_("channel")
    )
    period = models.CharField(_("period"), max_length=10, choices=Period)
    at = models.TimeField(_("time"), help_text=_("Of the day after the period's last one, in the channel's time zone."))
    approves_itself = models.BooleanField(
        _("goes out by itself"),
        default=False,
        help_text=_("Without an editor's approval, unless its fact check finds something."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    begins_at = models.DateTimeField(
        _("since"), default=timezone.now, editable=False, help_text=_("What was due earlier is not made up for.")
    )

    class Meta:
        verbose_name = _("schedule of digests")
        verbose_name_plural = _("schedules of digests")
        ordering = ["channel", "period"]
        constraints = [models.UniqueConstraint(fields=["channel", "period"], name="unique_plan_of_period")]

    def __str__(self) -> str:
        return f"{self.channel}: {self.get_period_display()}, {self.at:%H:%M}"
