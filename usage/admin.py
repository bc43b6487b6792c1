"""The ledger in the admin: what calls cost, who answers them, which processes lived. Only the product writes it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from usage.listing import HTTPS_ASSUMED, ExactSearch, LargeTableAdmin, ReadOnly, ReadOnlyInline
from usage.models import ApiKey, ApiUsageDaily, ApiUsageEvent, ProcessSession, Provider, SessionStatsDaily


def dollars(amount: Decimal | None) -> str:
    """An amount of USD for people: two digits, more where it is under a cent."""
    if amount is None:
        return "—"
    places = 4 if 0 < amount < Decimal("0.01") else 2
    return f"${number_format(amount, places)}"


class KeysOfProvider(ReadOnlyInline):
    model = ApiKey
    fields = ("short_hash", "is_enabled", "last_good_at", "last_failure_at", "last_failure", "cooling_down_until")
    readonly_fields = ("short_hash",)
    show_change_link = False

    @display(description=_("key"))
    def short_hash(self, key: ApiKey) -> str:
        return key.key_hash[:8]


@admin.register(Provider)
class ProviderAdmin(ModelAdmin):
    list_display = ("name", "kind", "model", "priority", "is_enabled", "spent_today", "budget")
    list_filter = ("is_enabled",)
    search_fields = ("name",)
    inlines = (KeysOfProvider,)
    formfield_overrides = HTTPS_ASSUMED

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        spent = (
            ApiUsageDaily.objects.filter(day=timezone.now().date(), provider=OuterRef("name"))
            .order_by()
            .values("provider")
            .values_list(Sum("cost_usd"))
        )
        providers: QuerySet[Provider] = super().get_queryset(request).annotate(spent=Subquery(spent))
        return providers

    @display(description=_("spent today"))
    def spent_today(self, provider: Any) -> str:
        return dollars(provider.spent or Decimal(0))

    @display(description=_("daily budget"))
    def budget(self, provider: Provider) -> str:
        return dollars(provider.daily_budget)


@admin.register(ApiUsageEvent)
class ApiUsageEventAdmin(ExactSearch, ReadOnly, LargeTableAdmin):
    list_display = (
        "started_at",
        "state_label",
        "provider",
        "model",
        "purpose",
        "subject",
        "tokens_in",
        "tokens_out",
        "cost",
        "latency_ms",
    )
    list_filter = ("state",)
    search_fields = ("subject",)
    search_help_text = _("What it was for: article:42")
    sortable_by = ("started_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiUsageEvent]:
        events: QuerySet[ApiUsageEvent] = super().get_queryset(request).defer("extra")
        return events

    @display(
        description=_("state"),
        label={
            ApiUsageEvent.State.STARTED: "warning",
            ApiUsageEvent.State.SUCCEEDED: "success",
            ApiUsageEvent.State.FAILED: "danger",
        },
    )
    def state_label(self, event: ApiUsageEvent) -> tuple[str, str]:
        return event.state, event.get_state_display()

    @display(description=_("cost"))
    def cost(self, event: ApiUsageEvent) -> str:
        return dollars(event.cost_usd)


@admin.register(ApiUsageDaily)
class ApiUsageDailyAdmin(ReadOnly, LargeTableAdmin):
    list_display = (
        "day",
        "provider",
        "model",
        "key",
        "requests",
        "failures",
        "tokens_in",
        "tokens_out",
        "cost",
        "latency",
    )
    list_filter = ("provider",)
    sortable_by = ("day",)
    empty_text = _("No call has been made yet. The offline summariser costs nothing and is counted too.")

    @display(description=_("key"))
    def key(self, usage: ApiUsageDaily) -> str:
        return usage.api_key_hash[:8] or "—"

    @display(description=_("failures"))
    def failures(self, usage: ApiUsageDaily) -> int:
        return usage.requests - usage.successes

    @display(description=_("cost"))
    def cost(self, usage: ApiUsageDaily) -> str:
        return dollars(usage.cost_usd)

    @display(description=_("mean latency, ms"))
    def latency(self, usage: ApiUsageDaily) -> int:
        return usage.latency_ms // max(usage.requests, 1)


@admin.register(ProcessSession)
class ProcessSessionAdmin(ReadOnly, LargeTableAdmin):
    list_display = ("role", "started_at", "last_seen_at", "ended_at", "container_id", "commit")
    list_filter = ("role",)
    sortable_by = ()

    @display(description=_("commit"))
    def commit(self, session: ProcessSession) -> str:
        return session.git_sha[:8] or "—"


@admin.register(SessionStatsDaily)
class SessionStatsDailyAdmin(ReadOnly, LargeTableAdmin):
    list_display = ("day", "http_requests", "articles_processed", "tokens_in", "tokens_out")
    sortable_by = ()
