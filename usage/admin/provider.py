"""Who answers prompts: servers with their keys and budgets, and the offline summariser, which has neither."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.fields import Field
from django.forms import ChoiceField
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from usage import environment
from usage.admin.money import dollars
from usage.listing import HTTPS_ASSUMED, NamedInline
from usage.models import ApiKey, ApiUsageDaily, Provider, PurposeBudget
from usage.moments import when

KIND = Provider.Kind
EVERY = ("name", "kind", "priority", "is_enabled")


def provider_pages() -> dict[str, str]:
    """The page of each provider, by its name; the ledger also knows names of providers that are gone."""
    numbers = Provider.objects.values_list("name", "pk")
    return {name: reverse("admin:usage_provider_change", args=[pk]) for name, pk in numbers}


class KeysOfProvider(NamedInline):
    """Keys come from the environment; here one can only be switched off, and on again."""

    model = ApiKey
    fields = ("short_hash", "is_enabled", "health", "requests", "last_good_at", "last_failure_at", "last_failure")
    readonly_fields = ("short_hash", "health", "requests", "last_good_at", "last_failure_at", "last_failure")
    extra = 0
    can_delete = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Provider | None = None) -> bool:
        return False

    @display(description=_("key"))
    def short_hash(self, key: ApiKey) -> str:
        return key.key_hash[:8]

    @display(description=_("state"))
    def health(self, key: ApiKey) -> Any:
        """What keeps the key from being used now; whether its secret is still there is known to this process only."""
        known = map(environment.key_hash, environment.secrets_for(key.provider.base_url))
        if key.key_hash not in known:
            return _("not in the environment")
        if not key.is_enabled:
            return _("off")
        if key.cooling_down_until and key.cooling_down_until > timezone.now():
            return _("cooling down until %(time)s") % {"time": when(key.cooling_down_until)}
        return _("ready")

    @display(description=_("requests (failed)"))
    def requests(self, key: ApiKey) -> str:
        return f"{key.request_count} ({key.failure_count})"


class BudgetsOfProvider(NamedInline):
    model = PurposeBudget
    fields = ("purpose", "daily_budget")
    extra = 0
    hide_title = True


@admin.register(Provider)
class ProviderAdmin(ModelAdmin):
    list_display = ("name", "kind", "model", "priority", "state_label", "spent_today", "budget")
    list_filter = ("is_enabled",)
    search_fields = ("name",)
    formfield_overrides = HTTPS_ASSUMED
    readonly_fields = ("state",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        spent = (
            ApiUsageDaily.objects.filter(day=timezone.now().date(), provider=OuterRef("name"))
            .order_by()
            .values("provider")
            .values_list(Sum("cost_usd"))
        )
        providers: QuerySet[Provider] = super().get_queryset(request).annotate(spent=Subquery(spent))
        return providers

    def get_fieldsets(self, request: HttpRequest, obj: Provider | None = None) -> list[tuple[Any, dict[str, Any]]]:
        """The offline summariser has no server, no price and no budget."""
        if obj and obj.kind == KIND.EXTRACTIVE:
            return [(None, {"fields": EVERY})]
        answers = ("timeout_seconds", "max_tokens_out", "context_chars", "takes_schema", "concurrency")
        server = ("base_url", "model", *answers)
        state = [(_("State"), {"fields": ("state",)})] if obj else []
        return [
            (None, {"fields": EVERY}),
            (_("Server"), {"fields": server}),
            (_("Money"), {"fields": ("price_in", "price_out", "daily_budget")}),
            *state,
        ]

    def get_inlines(self, request: HttpRequest, obj: Provider | None) -> list[type[TabularInline]]:
        return [KeysOfProvider, BudgetsOfProvider] if obj and obj.kind == KIND.OPENAI else []

    def get_readonly_fields(self, request: HttpRequest, obj: Provider | None = None) -> tuple[str, ...]:
        """The ledger knows a provider by its name; what it is never changes."""
        return (*self.readonly_fields, "name", "kind") if obj else self.readonly_fields

    def formfield_for_choice_field(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> ChoiceField:
        """The offline summariser is there already: only servers are added."""
        if db_field.name == "kind":
            kwargs["choices"] = [(KIND.OPENAI.value, KIND.OPENAI.label)]
        field: ChoiceField = super().formfield_for_choice_field(db_field, request, **kwargs)
        return field

    def save_model(self, request: HttpRequest, obj: Provider, form: Any, change: bool) -> None:
        """Whoever saves a provider has seen to it: it is asked again at once, with the keys of its server."""
        obj.skipped_until, obj.skip_reason, obj.consecutive_failures = None, "", 0
        super().save_model(request, obj, form, change)
        if obj.kind == KIND.OPENAI:
            environment.sync_keys(obj)

    @display(description=_("state"))
    def state(self, provider: Provider) -> Any:
        if not provider.is_enabled:
            return _("off")
        if provider.skipped_until and provider.skipped_until > timezone.now():
            words = {"time": when(provider.skipped_until), "reason": provider.skip_reason}
            return _("skipped until %(time)s: %(reason)s") % words
        return _("ready")

    @display(description=_("state"), label={"off": "warning", "skipped": "danger", "ready": "success"})
    def state_label(self, provider: Provider) -> tuple[str, Any]:
        if not provider.is_enabled:
            return "off", _("off")
        if provider.skipped_until and provider.skipped_until > timezone.now():
            return "skipped", _("resting")
        return "ready", _("ready")

    @display(description=_("spent today"))
    def spent_today(self, provider: Any) -> str:
        return dollars(provider.spent or Decimal(0))

    @display(description=_("daily budget"))
    def budget(self, provider: Provider) -> str:
        return dollars(provider.daily_budget)
