"""A Telegram bot as its limits see it: what all processes that share its token have to obey together."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Expression
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from publishing.prepared import Blank, Prepared, PreparedUpdate

# So many calls in a row without an answer of Telegram's own open the breaker: then only getMe is called.
FAILURES_UNTIL_BROKEN = 3
# A call may be booked so far ahead and no further: whoever books it waits that long with the message in hand.
LONGEST_BOOKING = timedelta(seconds=1)


class BotQuerySet(models.QuerySet["Bot"]):
    def usable(self, now: datetime | Expression) -> BotQuerySet:
        """Bots that may be called now (aware), as far as their pace allows."""
        return self.filter(is_paused=False, resumes_at__lte=now, failures__lt=FAILURES_UNTIL_BROKEN)

    def stopped(self) -> BotQuerySet:
        """Bots that send nothing before somebody, or Telegram itself, comes back."""
        return self.filter(models.Q(is_paused=True) | models.Q(failures__gte=FAILURES_UNTIL_BROKEN))

    def to_be_probed(self, now: datetime) -> BotQuerySet:
        """Bots whose breaker is open, and whose next probe is due."""
        return self.filter(is_paused=False, resumes_at__lte=now, failures__gte=FAILURES_UNTIL_BROKEN)


class Bot(models.Model):
    """One token, named by its variable; the token itself stays in the environment."""

    token_env = models.CharField(_("environment variable with the bot's token"), max_length=100, unique=True)
    username = models.CharField(_("user name"), max_length=64, blank=True)
    next_call_at = models.DateTimeField(_("next call not before"), default=timezone.now)
    resumes_at = models.DateTimeField(
        _("waits until"), default=timezone.now, help_text=_("What Telegram has asked for, or when it is probed again.")
    )
    failures = models.PositiveSmallIntegerField(_("failures in a row"), default=0)
    is_paused = models.BooleanField(_("paused"), default=False)
    pause_reason = models.CharField(_("why paused"), max_length=300, blank=True)

    objects = BotQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["next_call_at", "resumes_at", "failures"])

    class Meta:
        verbose_name = _("bot")
        verbose_name_plural = _("bots")
        ordering = ["token_env"]

    def __str__(self) -> str:
        return f"@{self.username}" if self.username else self.token_env

    @property
    def is_broken(self) -> bool:
        """Whether the breaker is open."""
        return self.failures >= FAILURES_UNTIL_BROKEN

    @classmethod
    def book(cls, token_env: str, now: datetime, seen: datetime | None = None) -> datetime | None:
        """Book the bot's next call and give its moment (aware); None if the bot must not be called for now.

        Atomic: processes that book at once get moments as far apart as the bot's limit asks. Who has just read the
        bot's `next_call_at` saves a question by giving it as `seen`.
        """
        if seen is not None and (moment := cls._take(token_env, now, seen)):
            return moment
        while True:
            bot = _known.first(token_env=token_env) or cls._of(token_env, now)
            if not bot._is_usable(now) or bot.next_call_at > now + LONGEST_BOOKING:
                return None
            # Whoever was quicker has got that moment, and there is a next one.
            if moment := cls._take(token_env, now, bot.next_call_at):
                return moment

    @classmethod
    def _take(cls, token_env: str, now: datetime, seen: datetime) -> datetime | None:
        """The moment after what was seen, if it is near and nobody else was quicker."""
        moment = max(seen, now)
        if moment > now + LONGEST_BOOKING:
            return None
        following = moment + timedelta(seconds=1 / settings.TELEGRAM_MESSAGES_PER_SECOND)
        return moment if _booking.run(token_env=token_env, now=now, seen=seen, next_call_at=following) else None

    @classmethod
    def _of(cls, token_env: str, now: datetime) -> Bot:
        """The bot's row, made if this is its first call."""
        return cls.objects.get_or_create(token_env=token_env, defaults={"next_call_at": now, "resumes_at": now})[0]

    def _is_usable(self, now: datetime) -> bool:
        """As the queryset's `usable` says it."""
        return not self.is_paused and self.resumes_at <= now and not self.is_broken


TOKEN_ENV = Blank("token_env", models.CharField())
_known = Prepared(lambda: Bot.objects.filter(token_env=TOKEN_ENV))
_booking = PreparedUpdate(
    lambda: Bot.objects.usable(Blank("now", models.DateTimeField())).filter(
        token_env=TOKEN_ENV, next_call_at=Blank("seen", models.DateTimeField())
    ),
    "next_call_at",
)
