"""One article or digest on its way to one channel."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce, JSONObject
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from articles.models import Article
from publishing.models.bot import Bot
from publishing.models.channel import Channel
from publishing.models.digest import Digest


class PublicationQuerySet(models.QuerySet["Publication"]):
    def waiting(self) -> PublicationQuerySet:
        """What an editor has still to decide."""
        return self.filter(state__in=[Publication.State.DRAFT, Publication.State.PENDING])

    def not_out_yet(self) -> PublicationQuerySet:
        """Everything that may still go out, whoever or whatever it waits for."""
        return self.filter(state__in=Publication.UNFINISHED)

    def in_queue(self) -> PublicationQuerySet:
        """What editors see in the queue: what may still go out, and what its channel has refused."""
        return self.filter(state__in=[*Publication.UNFINISHED, Publication.State.FAILED])

    def for_queue(self) -> PublicationQuerySet:
        """With all that `queueing.explain` and `rendering.render` look at.

        That is the channel, the messages, the article with its tags and picture, how many go out `ahead` of each, and
        the `other` publication that the channel has of the same story.
        """
        same_priority = models.Q(priority=models.OuterRef("priority"))
        line = (
            Publication.objects.filter(channel=models.OuterRef("channel"), state__in=Publication.IN_LINE)
            .annotate(due=Coalesce("scheduled_for", "approved_at"))
            .filter(
                models.Q(priority__gt=models.OuterRef("priority"))
                | same_priority & models.Q(due__lt=models.OuterRef("due"))
                | same_priority & models.Q(due=models.OuterRef("due"), pk__lt=models.OuterRef("pk"))
            )
            .order_by()
            .values("channel")
            .annotate(count=models.Count("pk"))
            .values("count")
        )
        frozen = Channel.objects.filter(
            pk=models.OuterRef("channel"), passes_unresolved=False, messages__state__in=["unknown", "person"]
        )
        others = (
            Publication.objects.filter(
                channel=models.OuterRef("channel"), article__story=models.OuterRef("article__story")
            )
            .exclude(pk=models.OuterRef("pk"))
            .exclude(state__in=[*Publication.TURNED_DOWN, Publication.State.HELD])
            .order_by("pk")
        )
        stopped = Bot.objects.filter(token_env=models.OuterRef("channel__token_env")).stopped()
        return (
            self.select_related("channel", "article__source", "article__picture", "digest", "approved_by")
            .prefetch_related("messages", "article__tags", "digest__sections")
            .annotate(
                due=Coalesce("scheduled_for", "approved_at"),
                ahead=Coalesce(models.Subquery(line), 0),
                is_behind_unknown=models.Exists(frozen),
                bot_stands=models.Exists(stopped),
                other=models.Subquery(others.values(found=JSONObject(pk="pk", title="title"))[:1]),
            )
        )


class Publication(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        PENDING = "pending", _("awaits approval")
        APPROVED = "approved", _("approved")
        SENDING = "sending", _("being sent")
        CHANGING = "changing", _("being changed")
        PUBLISHED = "published", _("published")
        HELD = "held", _("held")
        REJECTED = "rejected", _("rejected")
        FAILED = "failed", _("failed")
        EDITED = "edited", _("edited in the channel")
        DELETED = "deleted", _("deleted from the channel")

    class Kind(models.TextChoices):
        NEWS = "news", _("news")
        DIGEST = "digest", _("digest")
        FORECAST = "forecast", _("forecast note")

    IN_LINE = (State.APPROVED, State.SENDING, State.CHANGING)
    UNFINISHED = (State.DRAFT, State.PENDING, State.APPROVED, State.SENDING, State.CHANGING, State.HELD)

    # What an editor or the channel has said no to.
    TURNED_DOWN = (State.REJECTED, State.FAILED, State.DELETED)
    OUT = (State.PUBLISHED, State.EDITED, State.DELETED)

    # Priorities: what is out already and wrong goes before news, and breaking news goes before everything.
    CORRECTION = 50
    BREAKING = 100

    channel = models.ForeignKey(
        Channel, on_delete=models.PROTECT, related_name="publications", verbose_name=_("channel")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.NEWS)
    article = models.ForeignKey(
        Article, on_delete=models.PROTECT, null=True, blank=True, related_name="publications", verbose_name=_("article")
    )
    digest = models.ForeignKey(
        Digest, on_delete=models.PROTECT, null=True, blank=True, related_name="publications", verbose_name=_("digest")
    )
    title = models.CharField(_("title"), max_length=1000)
    text = models.TextField(_("text"), blank=True, help_text=_("As it was written when queued."))
    edited_text = models.TextField(
        _("editor's text"), blank=True, help_text=_("Empty: the text goes out as it was written.")
    )
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PENDING)
    reason = models.CharField(_("why held or rejected"), max_length=300, blank=True)
    priority = models.SmallIntegerField(_("priority"), default=0, help_text=_("Greater numbers go first."))
    ignores_quiet_hours = models.BooleanField(_("even in quiet hours"), db_default=False, default=False)
    scheduled_for = models.DateTimeField(_("scheduled for"), null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("approved by"),
    )
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)
    created_at = models.DateTimeField(_("queued"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = PublicationQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("publication")
        verbose_name_plural = _("publications")
        ordering = ["-created_at", "-id"]
        permissions = [("approve_publication", "Can approve, schedule and reject publications")]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="publication_newest"),
            models.Index(fields=["state", "-created_at", "-id"], name="publication_state_newest"),
            models.Index(fields=["channel", "-created_at", "-id"], name="publication_channel_newest"),
            models.Index(fields=["channel", "state", "-created_at"], name="publication_channel_state"),
            models.Index(
                fields=["-published_at"], condition=models.Q(published_at__isnull=False), name="publication_published"
            ),
            models.Index(
                fields=["channel", "scheduled_for"],
                condition=models.Q(scheduled_for__isnull=False),
                name="publication_scheduled",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["channel", "article", "kind"], name="unique_publication_of_article"),
            models.UniqueConstraint(fields=["channel", "digest", "kind"], name="unique_publication_of_digest"),
            models.CheckConstraint(
                condition=models.Q(article__isnull=False, digest__isnull=True)
                | models.Q(article__isnull=True, digest__isnull=False),
                name="publication_of_article_or_digest",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_breaking(self) -> bool:
        """Whether it goes before all that is no breaking news."""
        return self.priority >= self.BREAKING

    @property
    def final_text(self) -> str:
        """What goes out: the editor's version where there is one."""
        return self.edited_text or self.text


class PendingPublicationManager(models.Manager.from_queryset(PublicationQuerySet)):  # type: ignore[misc]
    def get_queryset(self) -> PublicationQuerySet:
        queue: PublicationQuerySet = super().get_queryset().in_queue()
        return queue


class PendingPublication(Publication):
    """The queue: publications that have not gone out yet, and those that were refused."""

    objects: ClassVar[PendingPublicationManager] = PendingPublicationManager()

    class Meta:
        proxy = True
        verbose_name = _("publication in the queue")
        verbose_name_plural = _("queue")
        ordering = ["-priority", "-created_at", "-id"]
