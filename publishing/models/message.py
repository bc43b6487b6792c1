"""The outbox: the messages a publication is sent as, each try to send one, and what the sandbox has received."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Expression
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from publishing.models.channel import Channel
from publishing.models.publication import Publication


class MessageQuerySet(models.QuerySet["Message"]):
    def due(self, now: datetime | Expression | None = None) -> MessageQuerySet:
        """Messages that may be sent now as far as their own row says: ready, and not before their time."""
        return self.filter(state=Message.State.READY, not_before__lte=now or timezone.now())

    def going_out(self) -> MessageQuerySet:
        """Messages of publications that are approved and not through yet."""
        return self.filter(publication__state__in=Publication.IN_LINE)

    def next_in_line(self, now: datetime | Expression | None = None) -> MessageQuerySet:
        """Due messages that nothing of their own publication holds up, in the order in which they go out.

        A part waits for the parts before it, and for a person if it is unknown whether one of them was sent. Only
        what is new in the channel keeps the channel's pace: a correction doesn't wait for it.
        """
        now = now or timezone.now()
        earlier = (
            Message.objects.filter(
                publication=models.OuterRef("publication"),
                change=models.OuterRef("change"),
                ordinal__lt=models.OuterRef("ordinal"),
            )
            .exclude(state=Message.State.SENT)
            .exclude(state=Message.State.DEAD, action__in=Message.REPEATABLE)
        )
        keeps_pace = models.Q(action__in=Message.REPEATABLE) | models.Q(channel__next_post_at__lte=now)
        line = self.going_out().due(now).filter(keeps_pace, ~models.Exists(earlier))
        return line.order_by("-priority", "not_before", "id")

    def heard_by_nobody(self) -> MessageQuerySet:
        """Messages that may go out in quiet hours: corrections ring no telephone, and some news must."""
        return self.filter(models.Q(action__in=Message.REPEATABLE) | models.Q(publication__ignores_quiet_hours=True))

    def unresolved(self) -> MessageQuerySet:
        """Messages of which nobody knows yet whether they were sent."""
        return self.filter(state__in=Message.UNRESOLVED)

    def in_the_way(self) -> MessageQuerySet:
        """Messages that let nothing else of their channel go out.

        A call is being made for them, or it is unknown what became of one and no operator lets others pass.
        """
        stops = models.Q(state__in=Message.UNRESOLVED, channel__passes_unresolved=False)
        return self.filter(stops | models.Q(state__in=Message.IN_FLIGHT))


class Message(models.Model):
    """One call that a publication needs: to send one of its parts, or to edit or delete a post that stands.

    Its payload is frozen when somebody decides it. `change` numbers those decisions: 0 is the first posting, and each
    later edit, deletion or further posting has the next number, and parts of its own.

    `fence` rises with each claim: who holds an older fence has lost the message and can no longer write to it.
    """

    class Action(models.TextChoices):
        SEND = "send", _("post")
        EDIT = "edit", _("edit")
        DELETE = "delete", _("delete")

    class State(models.TextChoices):
        READY = "ready", _("ready")
        CLAIMED = "claimed", _("claimed")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        UNKNOWN = "unknown", _("unknown whether sent")
        NEEDS_PERSON = "person", _("needs a person")
        DEAD = "dead", _("refused")

    UNRESOLVED = (State.UNKNOWN, State.NEEDS_PERSON)
    IN_FLIGHT = (State.CLAIMED, State.SENDING)
    AT_REST = (State.SENT, State.DEAD)
    # What may be asked for twice: the channel reads the same afterwards.
    REPEATABLE = (Action.EDIT, Action.DELETE)

    publication = models.ForeignKey(
        Publication, on_delete=models.CASCADE, related_name="messages", verbose_name=_("publication")
    )
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="messages", verbose_name=_("channel"))
    action = models.CharField(_("action"), max_length=10, choices=Action, db_default=Action.SEND, default=Action.SEND)
    change = models.PositiveSmallIntegerField(_("change"), db_default=0, default=0)
    ordinal = models.PositiveSmallIntegerField(_("part"))
    target = models.ForeignKey(
        "self",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        db_index=False,
        related_name="changes",
        verbose_name=_("post"),
        help_text=_("The message that is edited or deleted."),
    )
    payload = models.JSONField(_("payload"), help_text=_("Text and entities, in Telegram's terms."))
    payload_hash = models.CharField(_("hash of the payload"), max_length=64)
    priority = models.SmallIntegerField(_("priority"), default=0)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.READY)
    not_before = models.DateTimeField(_("not before"), default=timezone.now)
    fence = models.PositiveIntegerField(_("fence"), default=0)
    claimed_by = models.CharField(_("claimed by"), max_length=100, blank=True)
    # Whoever has it must be done by then; of an unknown message, when it is looked up.
    claimed_until = models.DateTimeField(_("claimed until"), null=True, blank=True)
    message_id = models.BigIntegerField(_("number in the channel"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
        help_text=_("Who said what became of a message of which nobody knew whether it was sent."),
    )
    resolved_at = models.DateTimeField(_("decided"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["publication", "ordinal"]
        indexes = [
            models.Index(
                fields=["channel", "-priority", "not_before", "id"],
                condition=models.Q(state="ready"),
                name="message_ready",
            ),
            models.Index(
                fields=["state", "claimed_until"],
                condition=models.Q(state__in=["claimed", "sending", "unknown", "person"]),
                name="message_in_flight",
            ),
            models.Index(fields=["target"], condition=models.Q(target__isnull=False), name="message_target"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["publication", "change", "ordinal"], name="unique_part_of_change"),
            models.CheckConstraint(
                condition=models.Q(action="send", target__isnull=True)
                | models.Q(target__isnull=False, message_id__isnull=False),
                name="correction_has_its_post",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="sent")
                | models.Q(sent_at__isnull=False, message_id__isnull=False)
                | models.Q(sent_at__isnull=False, resolved_at__isnull=False),
                name="sent_message_has_proof",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.publication_id}/{self.ordinal}"

    @property
    def is_unresolved(self) -> bool:
        return self.state in self.UNRESOLVED

    @property
    def is_repeatable(self) -> bool:
        """Whether it does no harm to ask for it once more."""
        return self.action in self.REPEATABLE


class Attempt(models.Model):
    """One call that was about to be made. Written and committed before the first byte leaves."""

    class Outcome(models.TextChoices):
        PENDING = "pending", _("no outcome yet")
        SENT = "sent", _("sent")
        NOT_SENT = "not_sent", _("proved not sent")
        REFUSED = "refused", _("refused for good")
        UNKNOWN = "unknown", _("unknown")

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attempts", verbose_name=_("message"))
    fence = models.PositiveIntegerField(_("fence"))
    payload_hash = models.CharField(_("hash of the payload"), max_length=64)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    deadline = models.DateTimeField(_("deadline"))
    last_message_id = models.BigIntegerField(
        _("number of the last post before"), null=True, blank=True, help_text=_("Where the search for it begins.")
    )
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, default=Outcome.PENDING)
    error = models.TextField(_("error"), blank=True)
    raw_reply = models.TextField(_("reply"), blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["message", "id"]
        constraints = [models.UniqueConstraint(fields=["message", "fence"], name="unique_attempt_of_fence")]

    def __str__(self) -> str:
        return f"{self.message_id} #{self.fence}: {self.outcome}"


class SandboxPost(models.Model):
    """A post as the sandbox received it. One a message, whoever sends it and however often."""

    channel = models.ForeignKey(
        Channel, on_delete=models.CASCADE, related_name="sandbox_posts", verbose_name=_("channel")
    )
    message = models.OneToOneField(
        Message, on_delete=models.CASCADE, related_name="sandbox_post", verbose_name=_("message")
    )
    payload = models.JSONField(_("payload"))
    posted_at = models.DateTimeField(_("posted"), default=timezone.now)

    class Meta:
        verbose_name = _("sandbox post")
        verbose_name_plural = _("sandbox posts")
        ordering = ["-id"]
        indexes = [models.Index(fields=["channel", "-id"], name="sandbox_post_newest")]

    def __str__(self) -> str:
        return f"{self.channel_id}/{self.pk}"
