"""A person who talks to the bot."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Subscriber(models.Model):
    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        BLOCKED = "blocked", _("blocked the bot")
        LEFT = "left", _("unsubscribed")

    telegram_user_id = models.BigIntegerField(_("Telegram user"), unique=True)
    language = models.CharField(_("language"), max_length=8, default="ru")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ACTIVE)
    wants_daily = models.BooleanField(_("daily digest"), default=False)
    wants_weekly = models.BooleanField(_("weekly digest"), default=False)
    topics = models.JSONField(_("topics"), default=list, blank=True)
    words = models.JSONField(_("words"), default=list, blank=True)
    send_at = models.TimeField(_("time of day"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("subscriber")
        verbose_name_plural = _("subscribers")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return str(self.telegram_user_id)
