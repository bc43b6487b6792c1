"""Who reads by the bot, and what of: digests of channels, topics, words."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from articles.models import Tag
from publishing.models.channel import Channel


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    def active(self) -> Self:
        """People who want to be written to."""
        return self.filter(state=Subscriber.State.ACTIVE)


class Subscriber(models.Model):
    """A person who has asked the bot for something. Of the person nothing is kept but Telegram's number for them."""

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        BLOCKED = "blocked", _("blocked the bot")
        LEFT = "left", _("unsubscribed")

    telegram_user_id = models.BigIntegerField(_("Telegram user"), unique=True)
    language = models.CharField(_("language"), max_length=8, default="ru")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ACTIVE)
    send_at = models.TimeField(
        _("time of day"),
        null=True,
        blank=True,
        help_text=_("When digests come, in the time zone of their channel. Empty: as soon as they are out."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscriber")
        verbose_name_plural = _("subscribers")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return str(self.telegram_user_id)

    def due_at(self, moment: datetime, channel: Channel) -> datetime:
        """When (aware) the person gets a digest that was out at `moment` (aware): then, or at their next time of day.

        That is a time of the channel's zone. One that a change of the clocks leaves out comes as much later as the
        clocks were put forward; of one that comes twice the first counts.
        """
        if self.send_at is None:
            return moment
        day = moment.astimezone(channel.zone).date()
        wanted = _instant(day, self.send_at, channel)
        return wanted if wanted >= moment else _instant(day + timedelta(days=1), self.send_at, channel)


def _instant(day: date, at: time, channel: Channel) -> datetime:
    # In UTC, where moments can be compared whatever the clocks do.
    return datetime.combine(day, at, channel.zone).astimezone(UTC)


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def to_news(self) -> Self:
        """Subscriptions to what articles are about."""
        return self.filter(kind__in=Subscription.NEWS)


class Subscription(models.Model):
    """One thing that somebody wants: a channel's digest of a kind, what is filed under a topic, what has some words."""

    class Kind(models.TextChoices):
        DAILY = "daily", _("daily digest")
        WEEKLY = "weekly", _("weekly digest")
        TOPIC = "topic", _("topic")
        WORDS = "words", _("words")

    DIGESTS = (Kind.DAILY, Kind.WEEKLY)
    NEWS = (Kind.TOPIC, Kind.WORDS)
    LONGEST_WORDS = 100

    subscriber = models.ForeignKey(
        Subscriber,
        on_delete=models.CASCADE,
        related_name="subscriptions",
        db_index=False,
        verbose_name=_("subscriber"),
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    channel = models.ForeignKey(
        Channel, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("channel")
    )
    tag = models.ForeignKey(
        Tag, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("topic")
    )
    words = models.CharField(_("words"), max_length=LONGEST_WORDS, blank=True)
    created_at = models.DateTimeField(
        _("since"), default=timezone.now, help_text=_("What was out before isn't sent to who comes later.")
    )

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        ordering = ["subscriber", "kind", "id"]
        indexes = [models.Index(fields=["kind", "subscriber"], name="subscription_kind")]
        constraints = [
            models.UniqueConstraint(
                fields=["subscriber", "kind", "channel"],
                condition=models.Q(channel__isnull=False),
                name="one_subscription_to_digest",
            ),
            models.UniqueConstraint(
                fields=["subscriber", "tag"], condition=models.Q(tag__isnull=False), name="one_subscription_to_topic"
            ),
            models.UniqueConstraint(
                fields=["subscriber", "words"], condition=~models.Q(words=""), name="one_subscription_to_words"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["daily", "weekly"], channel__isnull=False, tag__isnull=True, words="")
                | models.Q(kind="topic", channel__isnull=True, tag__isnull=False, words="")
                | models.Q(kind="words", channel__isnull=True, tag__isnull=True) & ~models.Q(words=""),
                name="subscription_says_to_what",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber_id}: {self.kind}"
