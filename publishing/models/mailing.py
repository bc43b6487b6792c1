"""The outbox to subscribers: what is sent to them, to whom each, and each try to send it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from publishing.models.channel import Channel
from publishing.models.message import Attempt, Message
from publishing.models.publication import Publication
from publishing.models.subscriber import Subscriber


class MailingQuerySet(models.QuerySet["Mailing"]):
    def in_the_making(self) -> Self:
        """Mailings whose deliveries are not all made yet, the oldest first."""
        return self.filter(state=Mailing.State.MAKING).order_by("pk")


class Mailing(models.Model):
    """A digest, or the news of a while, on its way to those who want it.

    Its deliveries are made in batches: `cursor` is the number of the last subscriber that was looked at. `payloads` are
    the parts of a digest as they were posted; each person's news are their own. `epoch` is the life of the database in
    which it was made: a restored one does not go on with the mailings of another life.
    """

    class Kind(models.TextChoices):
        DAILY = "daily", _("daily digest")
        WEEKLY = "weekly", _("weekly digest")
        NEWS = "news", _("news")

    class State(models.TextChoices):
        MAKING = "making", _("being made")
        MADE = "made", _("made")
        SKIPPED = "skipped", _("skipped")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    channel = models.ForeignKey(
        Channel, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("channel")
    )
    payloads = models.JSONField(_("payload"), default=list, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.MAKING)
    cursor = models.BigIntegerField(_("last subscriber"), default=0)
    epoch = models.PositiveIntegerField(_("epoch"))
    out_at = models.DateTimeField(_("published"), help_text=_("Who has subscribed later does not get it."))
    expires_at = models.DateTimeField(_("not after"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    objects = MailingQuerySet.as_manager()

    class Meta:
        verbose_name = _("mailing")
        verbose_name_plural = _("mailings")
        ordering = ["-id"]
        indexes = [models.Index(fields=["id"], condition=models.Q(state="making"), name="mailing_in_the_making")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="news", channel__isnull=True)
                | models.Q(kind__in=["daily", "weekly"], channel__isnull=False),
                name="mailing_of_digest_has_channel",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"


class MailingItem(models.Model):
    """A publication in a mailing. It is in one at most, whatever happens, so nobody gets it twice."""

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="items", verbose_name=_("mailing"))
    publication = models.OneToOneField(
        Publication, on_delete=models.CASCADE, related_name="+", verbose_name=_("publication")
    )

    class Meta:
        verbose_name = _("publication of a mailing")
        verbose_name_plural = _("publications of mailings")

    def __str__(self) -> str:
        return f"{self.mailing_id}: {self.publication_id}"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self, now: datetime, epoch: int) -> Self:
        """Deliveries of this life of the database that may be made now (aware), in their order.

        A part waits for the parts before it, and for a person or a time limit if nobody knows what became of one.
        """
        earlier = Delivery.objects.filter(
            mailing=models.OuterRef("mailing"),
            subscriber=models.OuterRef("subscriber"),
            ordinal__lt=models.OuterRef("ordinal"),
        ).exclude(state=Delivery.State.SENT)
        ready = self.filter(state=Delivery.State.READY, not_before__lte=now)
        line = ready.filter(
            ~models.Exists(earlier),
            mailing__epoch=epoch,
            mailing__expires_at__gt=now,
            subscriber__state=Subscriber.State.ACTIVE,
        )
        return line.order_by("not_before", "id")

    def unresolved(self) -> Self:
        """Deliveries of which nobody knows whether they have arrived."""
        return self.filter(state=Delivery.State.UNKNOWN)

    def skip(self, reason: str) -> int:
        """Don't send those that nobody has begun to send; how many."""
        return self.filter(state=Delivery.State.READY).update(state=Delivery.State.SKIPPED, last_error=reason)


class Delivery(models.Model):
    """One message to one subscriber. Sent once, or visibly unresolved; what may have arrived is never sent again.

    `fence` rises with each claim, as a message's does. The payload of news is the person's own and frozen here; empty,
    it is the mailing's part with this ordinal.
    """

    class State(models.TextChoices):
        READY = Message.State.READY.value, _("ready")
        CLAIMED = Message.State.CLAIMED.value, _("claimed")
        SENDING = Message.State.SENDING.value, _("being sent")
        SENT = Message.State.SENT.value, _("sent")
        UNKNOWN = Message.State.UNKNOWN.value, _("unknown whether sent")
        DEAD = Message.State.DEAD.value, _("refused")
        SKIPPED = "skipped", _("skipped")
        LEFT = "left", _("left as it is")

    IN_FLIGHT = (State.CLAIMED, State.SENDING)

    mailing = models.ForeignKey(
        Mailing, on_delete=models.CASCADE, related_name="deliveries", db_index=False, verbose_name=_("mailing")
    )
    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.CASCADE, related_name="deliveries", db_index=False, verbose_name=_("subscriber")
    )
    ordinal = models.PositiveSmallIntegerField(_("part"), default=1)
    payload = models.JSONField(_("payload"), default=dict, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.READY)
    not_before = models.DateTimeField(_("not before"), default=timezone.now)
    fence = models.PositiveIntegerField(_("fence"), default=0)
    claimed_until = models.DateTimeField(_("claimed until"), null=True, blank=True)
    message_id = models.BigIntegerField(_("number in the chat"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["not_before", "id"], condition=models.Q(state="ready"), name="delivery_ready"),
            models.Index(
                fields=["state", "claimed_until"],
                condition=models.Q(state__in=["claimed", "sending", "unknown"]),
                name="delivery_in_flight",
            ),
            models.Index(fields=["subscriber", "created_at"], name="delivery_of_subscriber"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["mailing", "subscriber", "ordinal"], name="unique_delivery"),
            models.CheckConstraint(
                condition=~models.Q(state="sent") | models.Q(sent_at__isnull=False, message_id__isnull=False),
                name="sent_delivery_has_proof",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mailing_id}/{self.subscriber_id}/{self.ordinal}"

    @property
    def content(self) -> dict[str, Any]:
        """What is sent, in Telegram's terms."""
        content: dict[str, Any] = self.payload or self.mailing.payloads[self.ordinal - 1]
        return content


class DeliveryAttempt(models.Model):
    """One call that was about to be made for a subscriber. Telegram's reply isn't kept: it holds the person's name."""

    Outcome = Attempt.Outcome

    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, related_name="attempts", db_index=False, verbose_name=_("delivery")
    )
    fence = models.PositiveIntegerField(_("fence"))
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    deadline = models.DateTimeField(_("deadline"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Attempt.Outcome, default=Attempt.Outcome.PENDING)
    error = models.CharField(_("error"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("attempt to deliver")
        verbose_name_plural = _("attempts to deliver")
        ordering = ["delivery", "id"]
        constraints = [models.UniqueConstraint(fields=["delivery", "fence"], name="unique_attempt_of_delivery")]

    def __str__(self) -> str:
        return f"{self.delivery_id} #{self.fence}: {self.outcome}"
