"""How readers have reacted to the posts of our channels."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from publishing.models.channel import Channel


class PostReactions(models.Model):
    """How often readers have reacted to a post of a channel, and with what. Telegram sends no more than the counts."""

    channel = models.ForeignKey(
        Channel, on_delete=models.CASCADE, related_name="+", db_index=False, verbose_name=_("channel")
    )
    message_id = models.BigIntegerField(_("number in the channel"))
    counts = models.JSONField(_("reactions"), default=dict)
    total = models.PositiveIntegerField(_("reactions together"), default=0)
    counted_at = models.DateTimeField(_("counted"), default=timezone.now)

    objects: ClassVar[models.Manager[PostReactions]] = models.Manager()

    class Meta:
        verbose_name = _("reactions to a post")
        verbose_name_plural = _("reactions to posts")
        constraints = [models.UniqueConstraint(fields=["channel", "message_id"], name="unique_reactions_of_post")]

    def __str__(self) -> str:
        return f"{self.channel_id}/{self.message_id}: {self.total}"
