"""What the bot keeps of those who talk to it: their updates for a while, and which editors they are."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from publishing.models.digest import Digest

# The process that polls answers what it has received; only after so long does anybody else look.
UNTIL_LOST = timedelta(seconds=5)
# Nobody waits longer for an answer.
TOO_LATE = timedelta(minutes=30)


class BotUpdateQuerySet(models.QuerySet["BotUpdate"]):
    def left_behind(self) -> BotUpdateQuerySet:
        """Updates that nobody has begun to answer, though somebody should have, the oldest first."""
        now = timezone.now()
        late = self.filter(taken_at=None, received_at__lt=now - UNTIL_LOST, received_at__gt=now - TOO_LATE)
        return late.order_by("received_at")

    def take(self, key: int) -> BotUpdate | None:
        """The update, which is the caller's to answer from now on; None if it is somebody else's."""
        if not self.filter(pk=key, taken_at=None).update(taken_at=timezone.now()):
            return None
        return self.get(pk=key)


class BotUpdate(models.Model):
    """One thing somebody has said to the bot. `payload` is emptied when it is answered."""

    bot_number = models.BigIntegerField(_("number of the bot"))
    update_id = models.BigIntegerField(_("number of the update"))
    person = models.BigIntegerField(_("Telegram user"))
    payload = models.JSONField(_("payload"))
    is_too_many = models.BooleanField(_("beyond the limit"), default=False)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    taken_at = models.DateTimeField(_("taken"), null=True, blank=True)
    finished_at = models.DateTimeField(_("answered"), null=True, blank=True)

    objects = BotUpdateQuerySet.as_manager()

    class Meta:
        verbose_name = _("update of the bot")
        verbose_name_plural = _("updates of the bot")
        constraints = [models.UniqueConstraint(fields=["bot_number", "update_id"], name="unique_update_of_bot")]
        indexes = [
            models.Index(fields=["person", "received_at"], name="bot_update_of_person"),
            models.Index(fields=["received_at"], name="bot_update_received"),
            models.Index(fields=["received_at"], condition=models.Q(taken_at=None), name="bot_update_waiting"),
        ]

    def __str__(self) -> str:
        return str(self.update_id)

    def finish(self) -> None:
        """It is answered: what was said is not needed any more."""
        BotUpdate.objects.filter(pk=self.pk).update(finished_at=timezone.now(), payload={})


class TelegramEditor(models.Model):
    """Which account of the newsroom a Telegram user decides as. TELEGRAM_ADMIN_IDS says who may decide at all."""

    telegram_user_id = models.BigIntegerField(
        _("Telegram user"), unique=True, help_text=_("The number, as TELEGRAM_ADMIN_IDS lists it.")
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("user")
    )

    objects: ClassVar[models.Manager[TelegramEditor]] = models.Manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("editor in Telegram")
        verbose_name_plural = _("editors in Telegram")
        ordering = ["telegram_user_id"]

    def __str__(self) -> str:
        return f"{self.telegram_user_id} = {self.user}"


class DebugWindow(models.Model):
    """The one row: until when the logs of all processes are detailed."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    until = models.DateTimeField(_("until"))
    asked_by = models.CharField(_("asked by"), max_length=150)

    objects: ClassVar[models.Manager[DebugWindow]] = models.Manager()

    class Meta:
        verbose_name = _("detailed logs")
        verbose_name_plural = _("detailed logs")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_debug_window")]

    def __str__(self) -> str:
        return str(self.until)


class DigestWatch(models.Model):
    """A message of the bot that is written over as a digest comes along; `shown` is what it says by now."""

    digest = models.ForeignKey(Digest, on_delete=models.CASCADE, related_name="+", verbose_name=_("digest"))
    person = models.BigIntegerField(_("Telegram user"))
    message_id = models.BigIntegerField(_("number in the chat"))
    language = models.CharField(_("language"), max_length=8, default=settings.LANGUAGE_CODE)
    shown = models.CharField(_("shown"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    objects: ClassVar[models.Manager[DigestWatch]] = models.Manager()

    class Meta:
        verbose_name = _("watched digest")
        verbose_name_plural = _("watched digests")
        constraints = [models.UniqueConstraint(fields=["person", "message_id"], name="unique_watch_of_message")]

    def __str__(self) -> str:
        return f"{self.digest_id}: {self.shown}"
