"""A place posts go to: a Telegram channel, or the sandbox page that looks like one."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from articles.models import Source


class Channel(models.Model):
    class Kind(models.TextChoices):
        SANDBOX = "sandbox", _("sandbox")
        TELEGRAM = "telegram", _("Telegram")

    class AutoApprove(models.TextChoices):
        NEVER = "never", _("never: an editor decides")
        ALWAYS = "always", _("everything that is queued")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.SANDBOX)
    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=200)
    language = models.CharField(_("language"), max_length=8, default="ru")
    sources = models.ManyToManyField(
        Source,
        blank=True,
        related_name="channels",
        verbose_name=_("sources"),
        help_text=_("Whose articles are queued here, where the source queues automatically."),
    )

    chat_id = models.CharField(
        _("chat"), max_length=64, blank=True, help_text=_("@name or the number of the Telegram channel.")
    )
    audit_chat_id = models.CharField(
        _("audit chat"), max_length=64, blank=True, help_text=_("A private chat where doubtful posts are looked up.")
    )
    token_env = models.CharField(
        _("environment variable with the bot's token"),
        max_length=100,
        blank=True,
        default="TELEGRAM_BOT_TOKEN",
        validators=[RegexValidator(r"^TELEGRAM_[A-Z0-9_]*TOKEN[A-Z0-9_]*$")],
        help_text=_("Its name, never the token itself; it begins with TELEGRAM_ and contains TOKEN."),
    )

    footer = models.CharField(
        _("footer"), max_length=500, blank=True, help_text=_("The last line of each post, such as @warandpeace.")
    )
    auto_approve = models.CharField(
        _("approve automatically"), max_length=10, choices=AutoApprove, default=AutoApprove.NEVER
    )
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="Europe/Moscow")
    seconds_between_posts = models.PositiveSmallIntegerField(_("seconds between posts"), default=3)
    next_post_at = models.DateTimeField(_("next post not before"), default=timezone.now, editable=False)
    is_paused = models.BooleanField(_("paused"), default=False)
    pause_reason = models.CharField(_("why paused"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    history = HistoricalRecords(excluded_fields=["next_post_at"], m2m_fields=[sources])

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ["name"]
        permissions = [("pause_channel", "Can pause and resume channels")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="channel_quiet_hours_have_both_ends",
                violation_error_message=_("Quiet hours need both a beginning and an end."),
            ),
        ]

    def __str__(self) -> str:
        return self.name
