"""A Telegram chat as its limits see it: what all channels and processes that post there obey together."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from publishing.prepared import Blank, PreparedUpdate


def pace_of_chats() -> timedelta:
    """The shortest time between two calls for one chat that Telegram allows a bot."""
    return timedelta(
        seconds=max(settings.TELEGRAM_SECONDS_BETWEEN_MESSAGES, 60 / settings.TELEGRAM_MESSAGES_PER_MINUTE)
    )


class Chat(models.Model):
    """One chat of one bot. Several channels of ours may post to it; they share its pace."""

    token_env = models.CharField(_("environment variable with the bot's token"), max_length=100)
    chat_id = models.CharField(_("chat"), max_length=64)
    next_call_at = models.DateTimeField(_("next call not before"))

    objects: ClassVar[models.Manager[Chat]] = models.Manager()

    class Meta:
        verbose_name = _("chat")
        verbose_name_plural = _("chats")
        constraints = [models.UniqueConstraint(fields=["token_env", "chat_id"], name="unique_chat_of_bot")]

    def __str__(self) -> str:
        return self.chat_id

    @classmethod
    def opens_at(cls, token_env: str, chat_id: str) -> datetime:
        """When (aware) the chat may be called again: now, where it was never called."""
        known = cls.objects.filter(token_env=token_env, chat_id=chat_id)
        return known.values_list("next_call_at", flat=True).first() or timezone.now()

    @classmethod
    def book(cls, token_env: str, chat_id: str, now: datetime, moment: datetime) -> bool:
        """Book the chat for a call at `moment`, if its last one is long enough ago at `now` (both aware). Atomic."""
        taken = {"next_call_at": moment + pace_of_chats()}
        if _booking.run(token_env=token_env, chat_id=chat_id, now=now, **taken):
            return True
        return cls.objects.get_or_create(token_env=token_env, chat_id=chat_id, defaults=taken)[1]


_booking = PreparedUpdate(
    lambda: Chat.objects.filter(
        token_env=Blank("token_env", models.CharField()),
        chat_id=Blank("chat_id", models.CharField()),
        next_call_at__lte=Blank("now", models.DateTimeField()),
    ),
    "next_call_at",
)
