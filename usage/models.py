"""The ledger: every call to a paid API, what it cost, and the processes that made it.

Times are UTC instants; a day is a UTC day, as in the bills of the providers.
"""

from __future__ import annotations

import socket
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from usage.revision import checked_out_commit


def utc_day(moment: datetime) -> date:
    """The UTC day of an aware datetime."""
    return moment.astimezone(UTC).date()


class Totals(models.QuerySet[Any]):
    """Rows that hold totals."""

    def add(self, key: dict[str, Any], amounts: dict[str, Any], **values: Any) -> None:
        """Add `amounts` to the row of `key`, made if it is missing, and set `values`. No writer's part is lost.

        The row stays locked until the transaction ends and everybody writes to it: make this the last step of one.
        """
        changes = values | {name: models.F(name) + amount for name, amount in amounts.items()}
        row = self.filter(**key)
        if not row.update(**changes):
            # Whoever else makes the row at this moment is waited for, so that the second try finds it.
            self.bulk_create([self.model(**key)], ignore_conflicts=True)
            row.update(**changes)


class Provider(models.Model):
    """A service that completes prompts. The secret of its keys stays in the environment."""

    class Kind(models.TextChoices):
        EXTRACTIVE = "extractive", _("extractive (offline)")

    name = models.SlugField(_("name"), unique=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    base_url = models.URLField(_("base URL"), blank=True)
    model = models.CharField(_("model"), max_length=100, blank=True)
    priority = models.PositiveSmallIntegerField(
        _("priority"), default=100, help_text=_("The smallest number is asked first.")
    )
    timeout_seconds = models.PositiveSmallIntegerField(_("timeout, seconds"), default=60)
    price_in = models.DecimalField(_("price of a million tokens in, USD"), max_digits=10, decimal_places=4, default=0)
    price_out = models.DecimalField(_("price of a million tokens out, USD"), max_digits=10, decimal_places=4, default=0)
    daily_budget = models.DecimalField(
        _("daily budget, USD"),
        max_digits=10,
        decimal_places=4,
        null=True,
        blank=True,
        help_text=_("Empty: no limit."),
    )
    is_enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        ordering = ["priority", "name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(price_in__gte=0) & models.Q(price_out__gte=0), name="provider_prices_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """The health of one key. Only its SHA-256 is here."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="keys", verbose_name=_("provider"))
    key_hash = models.CharField(_("SHA-256 of the key"), max_length=64)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    last_good_at = models.DateTimeField(_("last good answer"), null=True, blank=True)
    last_failure_at = models.DateTimeField(_("last failure"), null=True, blank=True)
    last_failure = models.CharField(_("reason of the last failure"), max_length=200, blank=True)
    cooling_down_until = models.DateTimeField(_("cooling down until"), null=True, blank=True)
    request_count = models.PositiveBigIntegerField(_("requests"), default=0)
    failure_count = models.PositiveBigIntegerField(_("failures"), default=0)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["provider", "id"]
        constraints = [models.UniqueConstraint(fields=["provider", "key_hash"], name="unique_key_of_provider")]

    def __str__(self) -> str:
        return f"{self.provider}:{self.key_hash[:8]}"


class ApiUsageEvent(models.Model):
    """One call, written before it is made and completed after: a row that stays `started` is a call that was killed.

    `provider` and `model` are names, not keys to rows, so that the ledger outlives what it speaks of.
    """

    class State(models.TextChoices):
        STARTED = "started", _("started")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")

    started_at = models.DateTimeField(_("time"), default=timezone.now)
    state = models.CharField(_("state"), max_length=20, choices=State, default=State.STARTED)
    provider = models.CharField(_("provider"), max_length=100)
    model = models.CharField(_("model"), max_length=100, blank=True)
    api_key_hash = models.CharField(_("key"), max_length=64, blank=True)
    endpoint = models.CharField(_("endpoint"), max_length=200, blank=True)
    purpose = models.CharField(_("purpose"), max_length=50, blank=True)
    subject = models.CharField(
        _("subject"), max_length=100, blank=True, help_text=_("What it was for: article:42, digest:7.")
    )
    requests = models.PositiveIntegerField(_("requests"), default=1)
    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    latency_ms = models.PositiveIntegerField(_("latency, ms"), null=True, blank=True)
    tokens_in = models.PositiveIntegerField(_("tokens in"), default=0)
    tokens_out = models.PositiveIntegerField(_("tokens out"), default=0)
    cost_usd = models.DecimalField(_("cost, USD"), max_digits=12, decimal_places=6, default=0)
    error_code = models.CharField(_("error code"), max_length=100, blank=True)
    extra = models.JSONField(_("extra"), default=dict, blank=True)

    class Meta:
        verbose_name = _("API call")
        verbose_name_plural = _("API calls")
        ordering = ["-started_at", "-id"]
        indexes = [
            models.Index(fields=["-started_at", "-id"], name="usage_event_newest"),
            models.Index(fields=["subject", "-id"], name="usage_event_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.purpose} {self.started_at:%Y-%m-%d %H:%M:%S}"


class ApiUsageDaily(models.Model):
    """Totals of a UTC day. Empty strings stand where there is no model or key, so that NULLs never split a row."""

    day = models.DateField(_("day (UTC)"))
    provider = models.CharField(_("provider"), max_length=100)
    model = models.CharField(_("model"), max_length=100, blank=True, default="")
    api_key_hash = models.CharField(_("key"), max_length=64, blank=True, default="")
    requests = models.PositiveBigIntegerField(_("requests"), default=0)
    successes = models.PositiveBigIntegerField(_("successes"), default=0)
    tokens_in = models.PositiveBigIntegerField(_("tokens in"), default=0)
    tokens_out = models.PositiveBigIntegerField(_("tokens out"), default=0)
    cost_usd = models.DecimalField(_("cost, USD"), max_digits=14, decimal_places=6, default=0)
    latency_ms = models.PositiveBigIntegerField(_("latency in sum, ms"), default=0)

    objects = Totals.as_manager()

    class Meta:
        verbose_name = _("daily usage")
        verbose_name_plural = _("daily usage")
        ordering = ["-day", "provider", "model"]
        constraints = [
            models.UniqueConstraint(fields=["day", "provider", "model", "api_key_hash"], name="unique_daily_usage")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.provider} {self.model}".strip()

    @classmethod
    def add(
        cls,
        day: date,
        provider: str,
        model: str = "",
        api_key_hash: str = "",
        *,
        requests: int = 0,
        successes: int = 0,
        tokens_in: int = 0,
        tokens_out: int = 0,
        cost_usd: Decimal = Decimal(0),
        latency_ms: int = 0,
    ) -> None:
        """Add to the totals of a UTC day, atomically. Time in milliseconds, cost in US dollars."""
        cls.objects.add(
            {"day": day, "provider": provider, "model": model, "api_key_hash": api_key_hash},
            {
                "requests": requests,
                "successes": successes,
                "tokens_in": tokens_in,
                "tokens_out": tokens_out,
                "cost_usd": cost_usd,
                "latency_ms": latency_ms,
            },
        )


class ProcessSession(models.Model):
    """One life of one process of ours: when it began, when it was last seen, when it ended."""

    session_id = models.UUIDField(_("session"), primary_key=True)
    role = models.CharField(_("role"), max_length=20, blank=True)
    started_at = models.DateTimeField(_("started"))
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    git_sha = models.CharField(_("commit"), max_length=64, blank=True)
    container_id = models.CharField(_("host or container"), max_length=255, blank=True)
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("process session")
        verbose_name_plural = _("process sessions")
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["-started_at"], name="usage_session_newest")]

    def __str__(self) -> str:
        return f"{self.role} {self.started_at:%Y-%m-%d %H:%M}".strip()

    @classmethod
    def begin(cls, role: str) -> ProcessSession:
        """Note that this process (web, worker, beat, bot, a command) has begun to work."""
        now = timezone.now()
        return cls.objects.create(
            session_id=uuid.uuid4(),
            role=role,
            started_at=now,
            last_seen_at=now,
            git_sha=checked_out_commit(settings.BASE_DIR),
            container_id=socket.gethostname()[:255],
        )

    def seen(self) -> None:
        """Note that the process is alive; call it now and then, its age tells a hung process from a dead one."""
        type(self).objects.filter(pk=self.pk).update(last_seen_at=timezone.now())

    def end(self) -> None:
        """Note that the process ended by itself. A killed one keeps an empty end and an old `last_seen_at`."""
        now = timezone.now()
        type(self).objects.filter(pk=self.pk, ended_at=None).update(last_seen_at=now, ended_at=now)


class SessionStatsDaily(models.Model):
    """What all processes did on a UTC day."""

    day = models.DateField(_("day (UTC)"), primary_key=True)
    http_requests = models.PositiveBigIntegerField(_("HTTP requests"), default=0)
    articles_processed = models.PositiveBigIntegerField(_("articles processed"), default=0)
    tokens_in = models.PositiveBigIntegerField(_("tokens in"), default=0)
    tokens_out = models.PositiveBigIntegerField(_("tokens out"), default=0)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = Totals.as_manager()

    class Meta:
        verbose_name = _("daily statistics")
        verbose_name_plural = _("daily statistics")
        ordering = ["-day"]

    def __str__(self) -> str:
        return str(self.day)

    @classmethod
    def add(
        cls, *, http_requests: int = 0, articles_processed: int = 0, tokens_in: int = 0, tokens_out: int = 0
    ) -> None:
        """Add to the statistics of today (UTC), atomically. Make it a transaction's last step: all write this row."""
        now = timezone.now()
        cls.objects.add(
            {"day": utc_day(now)},
            {
                "http_requests": http_requests,
                "articles_processed": articles_processed,
                "tokens_in": tokens_in,
                "tokens_out": tokens_out,
            },
            updated_at=now,
        )
