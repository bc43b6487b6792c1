"""Every call to a paid API, what it cost, and what the days came to."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from usage.models.totals import Totals


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
    reserved_usd = models.DecimalField(
        _("reserved, USD"), max_digits=12, decimal_places=6, default=0, help_text=_("The most it could have cost.")
    )
    error_code = models.CharField(_("error code"), max_length=100, blank=True)
    extra = models.JSONField(_("extra"), default=dict, blank=True)

    class Meta:
        verbose_name = _("API call")
        verbose_name_plural = _("API calls")
        ordering = ["-started_at", "-id"]
        indexes = [
            models.Index(fields=["-started_at", "-id"], name="usage_event_newest"),
            models.Index(fields=["subject", "-id"], name="usage_event_subject"),
            models.Index(
                fields=["provider", "started_at"],
                condition=models.Q(state="started"),
                name="usage_event_unfinished",
            ),
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


class Spending(models.Model):
    """What a UTC day's calls to a provider have cost and may still cost: one row a purpose, one of all (no purpose).

    Budgets are kept by it: a call reserves the most it can cost before it is made. What a killed call had reserved
    stays so, because nobody knows what it cost.
    """

    day = models.DateField(_("day (UTC)"))
    provider = models.CharField(_("provider"), max_length=100)
    purpose = models.CharField(_("purpose"), max_length=50, blank=True, default="")
    spent_usd = models.DecimalField(_("spent, USD"), max_digits=14, decimal_places=6, default=0)
    reserved_usd = models.DecimalField(_("reserved, USD"), max_digits=14, decimal_places=6, default=0)

    objects = Totals.as_manager()

    class Meta:
        verbose_name = _("spending")
        verbose_name_plural = _("spending")
        ordering = ["-day", "provider", "purpose"]
        constraints = [
            models.UniqueConstraint(fields=["day", "provider", "purpose"], name="unique_spending_of_purpose")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.provider} {self.purpose}".strip()
