"""A place posts go to: a Telegram channel, or the sandbox page that looks like one."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from articles.models import Source
from publishing.models.chat import pace_of_chats
from publishing.template_syntax import MAX_LENGTH, validate_template


def validate_time_zone(name: str) -> None:
    """Raises ValidationError unless the name is in the time zone database."""
    if name not in available_timezones():
        raise ValidationError(_("“%(name)s” is no time zone; write it as in Europe/Moscow."), params={"name": name})


class ChannelQuerySet(models.QuerySet["Channel"]):
    def open(self) -> ChannelQuerySet:
        """Channels that nobody has paused."""
        return self.filter(is_paused=False)

    def of_chat(self, channel: Channel) -> ChannelQuerySet:
        """The channels that post where this one does, itself among them."""
        if channel.kind != Channel.Kind.TELEGRAM:
            return self.filter(pk=channel.pk)
        return self.filter(kind=Channel.Kind.TELEGRAM, chat_id=channel.chat_id)


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

    carries_forecasts = models.BooleanField(
        _("carries forecast notes"),
        default=False,
        db_default=False,
        help_text=_("A service channel: notes of its sources are queued here, those of all if it has none."),
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
    template = models.TextField(
        _("template of posts"), max_length=MAX_LENGTH, blank=True, validators=[validate_template]
    )
    with_photos = models.BooleanField(
        _("with photos"),
        default=False,
        help_text=_("The main picture of an article goes along. No post waits long for one: it goes out without."),
    )
    auto_approve = models.CharField(
        _("approve automatically"), max_length=10, choices=AutoApprove, default=AutoApprove.NEVER
    )
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="Europe/Moscow", validators=[validate_time_zone]
    )
    seconds_between_posts = models.PositiveSmallIntegerField(_("seconds between posts"), default=3)
    next_post_at = models.DateTimeField(_("next post not before"), default=timezone.now, editable=False)
    last_message_id = models.BigIntegerField(_("number of the last post"), null=True, blank=True, editable=False)
    moved_to = models.CharField(_("number it moved to"), max_length=64, blank=True, editable=False)
    # What was posted before stayed in the old chat.
    moved_at = models.DateTimeField(_("moved"), null=True, blank=True, editable=False)
    passes_unresolved = models.BooleanField(
        _("let others pass"),
        default=False,
        help_text=_("Posts go out even while nobody knows whether an earlier one was sent; their order may suffer."),
    )
    is_paused = models.BooleanField(_("paused"), default=False)
    pause_reason = models.CharField(_("why paused"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = ChannelQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["next_post_at", "last_message_id"], m2m_fields=[sources])

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

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of its quiet hours and of the times its readers see."""
        return ZoneInfo(self.time_zone)

    @property
    def pace(self) -> timedelta:
        """The shortest time between two posts: the channel's own, and never less than Telegram allows a chat."""
        own = timedelta(seconds=self.seconds_between_posts)
        return max(own, pace_of_chats()) if self.kind == self.Kind.TELEGRAM else own

    @property
    def lacks_token(self) -> bool:
        """Whether the bot's token is missing from the environment of this process."""
        return self.kind == self.Kind.TELEGRAM and not settings.TELEGRAM_TOKENS.get(self.token_env)

    @property
    def lacks_chat(self) -> bool:
        """Whether nobody has said yet where it posts."""
        return self.kind == self.Kind.TELEGRAM and not self.chat_id

    def has_moved_since(self, moment: datetime) -> bool:
        """Whether its chat has moved since `moment` (aware): what was posted before has no number in the new chat."""
        return self.moved_at is not None and moment < self.moved_at

    def quiet_end(self, moment: datetime) -> datetime | None:
        """When the quiet hours end in which `moment` (aware) lies; None outside of them.

        Quiet hours may cross midnight. Hours that begin and end at the same time are none.
        """
        if self.quiet_from is None or self.quiet_until is None:
            return None
        local = moment.astimezone(self.zone)
        begins = local.replace(hour=self.quiet_from.hour, minute=self.quiet_from.minute, second=0, microsecond=0)
        ends = local.replace(hour=self.quiet_until.hour, minute=self.quiet_until.minute, second=0, microsecond=0)
        if self.quiet_from <= self.quiet_until:
            return ends if begins <= local < ends else None
        if local >= begins:
            return ends + timedelta(days=1)
        return ends if local < ends else None
