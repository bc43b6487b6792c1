"""Who answers prompts, with which keys, and for how much a day."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from usage.prompts import LONGEST_TEXT

# Whoever leases work to a call must lease it for longer than this, in seconds.
LONGEST_TIMEOUT = 240


class Provider(models.Model):
    """A service that completes prompts.

    The secrets of its keys stay in the environment: a provider's keys are those it has for the provider's server.
    """

    class Kind(models.TextChoices):
        OPENAI = "openai", _("OpenAI-compatible server")
        EXTRACTIVE = "extractive", _("extractive (offline)")

    name = models.SlugField(_("name"), unique=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    base_url = models.URLField(
        _("base URL"), blank=True, help_text=_("The part before /chat/completions, such as http://127.0.0.1:11434/v1.")
    )
    model = models.CharField(_("model"), max_length=100, blank=True)
    priority = models.PositiveSmallIntegerField(
        _("priority"), default=100, help_text=_("The smallest number is asked first.")
    )
    timeout_seconds = models.PositiveSmallIntegerField(
        _("timeout, seconds"),
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_TIMEOUT)],
        help_text=_("For the whole answer."),
    )
    max_tokens_out = models.PositiveIntegerField(
        _("longest answer, tokens"),
        default=2048,
        validators=[MinValueValidator(1)],
        help_text=_("Models that think before they answer need more."),
    )
    context_chars = models.PositiveIntegerField(
        _("longest text, characters"),
        default=LONGEST_TEXT,
        db_default=LONGEST_TEXT,
        validators=[MinValueValidator(2_000), MaxValueValidator(LONGEST_TEXT)],
        help_text=_("Of one call. Digests condense what is longer in steps."),
    )
    takes_schema = models.BooleanField(
        _("keeps to a JSON schema"),
        default=True,
        db_default=True,
        help_text=_("Switched off by itself where the server refuses one; then the schema is asked for in words."),
    )
    concurrency = models.PositiveSmallIntegerField(
        _("calls at once"), default=8, validators=[MinValueValidator(1)], help_text=_("By all processes together.")
    )
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
    consecutive_failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    skipped_until = models.DateTimeField(_("skipped until"), null=True, blank=True, editable=False)
    skip_reason = models.CharField(_("why skipped"), max_length=200, blank=True, editable=False)
    # What the environment said last: what a person has changed since differs from it and is left alone.
    environment = models.JSONField(_("from the environment"), default=dict, blank=True, editable=False)

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

    def clean(self) -> None:
        """Raises ValidationError if a server has no address or model."""
        missing = [name for name in ("base_url", "model") if not getattr(self, name)]
        if self.kind == self.Kind.OPENAI and missing:
            raise ValidationError(dict.fromkeys(missing, _("A server needs it.")))


class ApiKey(models.Model):
    """The health of one key. Only its SHA-256 is here."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="keys", verbose_name=_("provider"))
    key_hash = models.CharField(_("SHA-256 of the key"), max_length=64)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    last_good_at = models.DateTimeField(_("last good answer"), null=True, blank=True)
    last_failure_at = models.DateTimeField(_("last failure"), null=True, blank=True)
    last_failure = models.CharField(_("reason of the last failure"), max_length=200, blank=True)
    consecutive_failures = models.PositiveIntegerField(_("failures in a row"), default=0)
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


class PurposeBudget(models.Model):
    """What a provider's calls for one purpose (summary, digest) may cost on a UTC day."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="budgets", verbose_name=_("provider"))
    purpose = models.CharField(_("purpose"), max_length=50, help_text=_("summary, trial, forecast, digest"))
    daily_budget = models.DecimalField(
        _("daily budget, USD"), max_digits=10, decimal_places=4, validators=[MinValueValidator(0)]
    )

    class Meta:
        verbose_name = _("budget of a purpose")
        verbose_name_plural = _("budgets of purposes")
        ordering = ["provider", "purpose"]
        constraints = [models.UniqueConstraint(fields=["provider", "purpose"], name="unique_budget_of_purpose")]

    def __str__(self) -> str:
        return f"{self.provider}: {self.purpose}"
