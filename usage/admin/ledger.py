"""The ledger in the admin: what calls cost and which processes lived. Only the product writes it."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from usage.admin import overview
from usage.admin.money import dollars
from usage.exporting import Exported
from usage.listing import ExactSearch, LargeTableAdmin, ReadOnly
from usage.models import ApiUsageDaily, ApiUsageEvent, ProcessSession, SessionStatsDaily
from usage.moments import age, when
from usage.overview import Span


@admin.register(ApiUsageEvent)
class ApiUsageEventAdmin(Exported, ExactSearch, ReadOnly, LargeTableAdmin):
    export_fields = (
        "id",
        "started_at",
        "state",
        "provider",
        "model",
        "purpose",
        "subject",
        "requests",
        "tokens_in",
        "tokens_out",
        "cost_usd",
        "latency_ms",
        "error_code",
    )
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


class ApiUsageDailyAdmin(Exported, ReadOnly, LargeTableAdmin):
    """Registered by the project, which knows what came of the calls: this app knows no posts."""

    actions_list = ("show_overview",)
    export_fields = (
        "day",
        "provider",
        "model",
        "api_key_hash",
        "requests",
        "successes",
        "tokens_in",
        "tokens_out",
        "cost_usd",
        "latency_ms",
    )
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

    def get_urls(self) -> list[URLPattern]:
        own = path("overview/", self.admin_site.admin_view(self.overview_view), name="usage_apiusagedaily_overview")
        return [own, *super().get_urls()]

    def overview_view(self, request: HttpRequest) -> HttpResponseBase:
        return overview.view(self, request, self.posts)

    def posts(self, span: Span) -> int | None:
        """How many posts went out on the UTC days of a span; None where nobody knows."""
        return None

    @action(description=_("Usage and cost"), permissions=["view"])
    def show_overview(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:usage_apiusagedaily_overview"))

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
    list_display = ("role", "state_label", "started", "ended", "container_id", "commit")
    list_filter = ("role",)
    sortable_by = ()
    empty_text = _("No process has begun yet: each says here that it lives, which code it runs, and when it ends.")

    @display(description=_("state"), label={"alive": "success", "silent": "danger", "ended": "info"})
    def state_label(self, session: ProcessSession) -> tuple[str, str]:
        """One that was killed has no end; it is told by its silence."""
        if session.ended_at:
            return "ended", gettext("ended")
        seen_at = session.last_seen_at or session.started_at
        if timezone.now() - seen_at <= ProcessSession.LATE:
            return "alive", gettext("alive")
        return "silent", gettext("silent for %(age)s") % {"age": age(seen_at)}

    @display(description=_("started"))
    def started(self, session: ProcessSession) -> str:
        return when(session.started_at)

    @display(description=_("ended"))
    def ended(self, session: ProcessSession) -> str:
        return when(session.ended_at) if session.ended_at else "—"

    @display(description=_("commit"))
    def commit(self, session: ProcessSession) -> str:
        return session.git_sha[:8] or "—"


@admin.register(SessionStatsDaily)
class SessionStatsDailyAdmin(ReadOnly, LargeTableAdmin):
    list_display = ("day", "http_requests", "articles_processed", "tokens_in", "tokens_out")
    sortable_by = ()
