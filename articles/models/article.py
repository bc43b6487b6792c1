"""An article as it was found, completed and summarised, and every version of its summary."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from articles.factcheck.findings import bars_approval
from articles.models.source import Source
from articles.models.steps import Stepped, SteppedQuerySet
from articles.models.story import Story
from articles.models.tag import Tag
from articles.search import finding
from usage import moments
from usage.models import ApiUsageEvent


class ArticleQuerySet(SteppedQuerySet["Article"]):
    def ready_to_publish(self) -> ArticleQuerySet:
        """Summarised articles that are offered to channels and have not been taken yet, the oldest first."""
        return self.filter(offered_at__isnull=False).order_by("offered_at", "pk")

    def search(self, text: str) -> ArticleQuerySet:
        """Those of these articles that have every word of a text, in any form: in the title first, then newest first.

        Russian and English words are found by their stems, "several words" in quotation marks side by side, and an
        article with a -word is left out. Any text may be searched; one without a word finds nothing. A word that is
        everywhere finds the newest articles with it, not all of them. What was stored a moment ago is found a few
        seconds later, once its text has been indexed.
        """
        return finding.found(self, text)

    def to_compare(self, now: datetime | None = None) -> ArticleQuerySet:
        """Articles whose text is to be compared with all others now, the longest waiting first."""
        return self.filter(compare_at__lte=now or timezone.now()).order_by("compare_at")

    def summarise_again(self, now: datetime | None = None, *, provider: str = "") -> int:
        """Make articles that have a text due for a new version of their summary, by a provider if named; how many."""
        with_text = self.exclude(content="", lead="")
        # What was made of the present text holds no longer.
        Summary.objects.filter(article__in=with_text).update(content_hash="")
        return with_text.update(
            status=Article.Status.READY,
            next_step_at=now or timezone.now(),
            attempts=0,
            last_error="",
            wanted_provider=provider,
        )


class Article(Stepped):
    """One article, known by its canonical link.

    `next_step_at` drives the pipeline: the next automatic step is its full text or its summary. `offered_at` hands the
    article over to the channels: publishing takes it and clears it.
    """

    class Status(models.TextChoices):
        NEW = "new", _("text to be fetched")
        READY = "ready", _("to be summarised")
        SUMMARISED = "summarised", _("summarised")
        STORED = "stored", _("stored")
        FAILED = "failed", _("failed")

    class Precision(models.TextChoices):
        MINUTE = "minute", _("to the minute")
        DAY = "day", _("to the day")
        SEEN = "seen", _("when first seen")

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="articles", verbose_name=_("source"))
    url = models.CharField(_("address"), max_length=2048)
    canonical_link = models.CharField(_("canonical link"), max_length=2048, unique=True)
    title = models.CharField(_("title"), max_length=1000)
    published_at = models.DateTimeField(_("published"))
    published_precision = models.CharField(_("precision"), max_length=10, choices=Precision, default=Precision.MINUTE)
    lead = models.TextField(_("lead"), blank=True)
    content = models.TextField(_("text"), blank=True)
    content_hash = models.CharField(_("hash of the text"), max_length=64, blank=True, editable=False)
    entry_hash = models.CharField(_("hash of the feed's entry"), max_length=64, blank=True, editable=False)
    summary_text = models.TextField(_("summary"), blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)
    topic = models.CharField(_("topic"), max_length=200, blank=True)
    tags = models.ManyToManyField(
        Tag, through="articles.ArticleTag", related_name="articles", blank=True, verbose_name=_("tags")
    )
    image_url = models.CharField(_("image"), max_length=2048, blank=True)
    original_url = models.CharField(_("original source"), max_length=2048, blank=True)
    duplicate_of = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="duplicates",
        verbose_name=_("duplicate of"),
    )
    story = models.ForeignKey(
        Story,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="articles",
        verbose_name=_("story"),
        help_text=_("Articles that are copies of one of them."),
    )
    compare_at = models.DateTimeField(
        _("to be compared"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When the text is due to be compared with all others."),
    )

    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.NEW)
    wanted_provider = models.CharField(
        _("provider of the next summary"),
        max_length=100,
        blank=True,
        editable=False,
        help_text=_("Empty: whoever is first by priority."),
    )
    offered_at = models.DateTimeField(_("offered to channels"), null=True, blank=True, editable=False)
    edited_at = models.DateTimeField(
        _("edited by a person"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Its source no longer overwrites it."),
    )
    created_at = models.DateTimeField(_("stored"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = ArticleQuerySet.as_manager()

    class Meta:
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        ordering = ["-published_at", "-id"]
        indexes = [
            models.Index(fields=["-published_at", "-id"], name="article_newest"),
            models.Index(fields=["source", "-published_at", "-id"], name="article_source_newest"),
            models.Index(fields=["status", "-published_at", "-id"], name="article_status_newest"),
            models.Index(fields=["language", "-published_at", "-id"], name="article_language_newest"),
            models.Index(fields=["next_step_at"], condition=models.Q(next_step_at__isnull=False), name="article_due"),
            models.Index(fields=["offered_at"], condition=models.Q(offered_at__isnull=False), name="article_offered"),
            models.Index(fields=["content_hash"], condition=~models.Q(content_hash=""), name="article_content_hash"),
            models.Index(fields=["compare_at"], condition=models.Q(compare_at__isnull=False), name="article_compare"),
        ]
        constraints = [
            models.CheckConstraint(condition=~models.Q(canonical_link=""), name="article_canonical_link_not_empty"),
            models.CheckConstraint(condition=~models.Q(title=""), name="article_title_not_empty"),
            models.UniqueConstraint(
                fields=["story"],
                condition=models.Q(story__isnull=False, duplicate_of__isnull=True),
                name="one_main_article_of_story",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def published_when(self) -> str:
        """When it was published, for people, as exactly as that is known."""
        if self.published_precision != self.Precision.DAY:
            return moments.when(self.published_at)
        # Such a time is the source's midnight.
        return moments.day(self.published_at, ZoneInfo(self.source.time_zone))

    def is_young(self, now: datetime) -> bool:
        """Whether channels may still take it by themselves, as its source says. Dated to the day, it may be from that
        day's last minute.
        """
        is_vague = self.published_precision == self.Precision.DAY
        youngest = self.published_at + timedelta(days=1 if is_vague else 0)
        return now - youngest <= timedelta(hours=self.source.queue_max_age_hours)

    @property
    def needs_editor(self) -> bool:
        """Whether the summary says something that its source does not support, and no person has written or changed it.

        Publishing asks before it approves anything by itself.
        """
        newest = self.summaries.written().order_by("-version").first()
        return bool(newest and not newest.author_id and newest.text == self.summary_text and newest.bars_approval)


class SummaryQuerySet(models.QuerySet["Summary"]):
    def due(self, now: datetime | None = None) -> SummaryQuerySet:
        """Trials that are to be written now, the longest waiting first."""
        return self.filter(next_step_at__lte=now or timezone.now()).order_by("next_step_at")

    def written(self) -> SummaryQuerySet:
        """Versions that were meant for readers: not trials."""
        return self.filter(is_trial=False)


class Summary(models.Model):
    """One version of an article's summary. The newest one that is no trial is also `Article.summary_text`.

    A trial shows editors what another prompt or provider would write. Its row is made first, with the `prompt_version`
    and `provider` to try; `next_step_at` is when it is due, and the lease of whoever writes it.
    """

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="summaries", verbose_name=_("article"))
    version = models.PositiveIntegerField(_("version"))
    text = models.TextField(_("text"))
    content_hash = models.CharField(
        _("hash of the article's text"), max_length=64, blank=True, editable=False, help_text=_("As it was summarised.")
    )
    provider = models.CharField(_("provider"), max_length=100, blank=True)
    model = models.CharField(_("model"), max_length=100, blank=True)
    prompt_version = models.CharField(_("prompt version"), max_length=50, blank=True)
    usage_event = models.ForeignKey(
        ApiUsageEvent, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("API call")
    )
    is_trial = models.BooleanField(_("trial"), default=False)
    next_step_at = models.DateTimeField(_("next step"), null=True, blank=True, editable=False)
    error = models.TextField(_("error"), blank=True, editable=False)
    findings = models.JSONField(_("findings of the fact check"), default=list, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("author"),
        help_text=_("Empty: written by a model."),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    objects = SummaryQuerySet.as_manager()

    class Meta:
        verbose_name = _("summary")
        verbose_name_plural = _("summaries")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="summary_newest"),
            models.Index(fields=["-created_at", "-id"], condition=models.Q(is_trial=True), name="trial_newest"),
            models.Index(fields=["next_step_at"], condition=models.Q(next_step_at__isnull=False), name="trial_due"),
        ]
        constraints = [models.UniqueConstraint(fields=["article", "version"], name="unique_version_of_summary")]

    def __str__(self) -> str:
        return f"{self.article_id} v{self.version}"

    @property
    def bars_approval(self) -> bool:
        """Whether the fact check found something that an editor must look at before the text goes out."""
        return bars_approval(self.findings)
