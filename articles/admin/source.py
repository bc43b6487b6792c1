"""Sources: how each one is doing, and the buttons to fetch, switch on and switch off."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from articles.admin import coverage, selecting, trying
from articles.admin import health as health_page
from articles.admin.health import health
from articles.models import Article, Source
from articles.sites import presets
from articles.sites.presets import PRESETS, WARANDPEACE
from articles.tasks import fetch_source
from usage.addresses import list_url
from usage.doorbell import ring
from usage.listing import HTTPS_ASSUMED, SimpleSave
from usage.moments import when


class HealthFilter(admin.SimpleListFilter):
    title = _("health")
    parameter_name = "health"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return [("failing", gettext("failing")), ("well", gettext("well"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Source]) -> QuerySet[Source]:
        match self.value():
            case "failing":
                return queryset.filter(is_active=True, consecutive_failures__gt=0)
            case "well":
                return queryset.filter(is_active=True, consecutive_failures=0)
            case _:
                return queryset


@admin.register(Source)
class SourceAdmin(SimpleSave, SimpleHistoryAdmin, ModelAdmin):
    list_display = ("name_and_address", "health", "health_detail", "next_fetch", "is_active", "articles_link")
    list_filter = (HealthFilter, "is_active", "auto_queue")
    search_fields = ("name", "slug", "url")
    search_help_text = gettext_lazy("Name or address")
    list_per_page = 50
    list_fullwidth = True
    formfield_overrides = HTTPS_ASSUMED
    actions = ("fetch_selected", "switch_on", "switch_off", "describe_selected")
    actions_submit_line = ("save_and_fetch",)
    actions_detail = ("show_coverage",)
    actions_list = ("show_health", "add_warandpeace")
    form = selecting.SourceForm
    change_form_after_template = "admin/articles/source/try.html"
    prepopulated_fields = {"slug": ("name",)}
    change_form_before_template = "admin/articles/source/health.html"
    readonly_fields = ("last_fetched_at", "last_success_at", "consecutive_failures", "last_error", "created_at")
    fieldsets = (
        (None, {"fields": (("name", "slug"), ("kind", "language"), "url", "is_active")}),
        (
            _("What happens to its articles"),
            {"fields": ("fetch_full_text", "auto_summarise", "auto_forecast", "auto_queue", "queue_max_age_hours")},
        ),
        (_("Schedule"), {"fields": ("interval_minutes", "next_fetch_at", ("last_fetched_at", "last_success_at"))}),
        (_("Reading"), {"fields": (("encoding", "time_zone"),), "classes": ("collapse",)}),
        (
            _("Manners"),
            {"fields": (("delay_seconds", "connections"), "obey_robots"), "classes": ("collapse",)},
        ),
        *selecting.fieldsets(),
    )

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("try/", wrap(partial(trying.view, self)), name="articles_source_try"),
            path("health/", wrap(partial(health_page.view, self)), name="articles_source_health"),
            path("<int:pk>/coverage/", wrap(partial(coverage.view, self)), name="articles_source_coverage"),
            *super().get_urls(),
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new source may begin as one that is described already: `?preset=warandpeace`."""
        preset = PRESETS.get(request.GET.get("preset", ""))
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        return initial | (preset.values() if preset else {})

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        """With other selectors the page is a new page: what it used to yield says nothing any more."""
        if change and Source.objects.filter(pk=obj.pk).exclude(selectors=obj.selectors).exists():
            obj.usual_yield, obj.text_misses = {}, 0
        super().save_model(request, obj, form, change)

    @action(description=_("Coverage of the archive"), permissions=["view"])
    def show_coverage(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:articles_source_coverage", args=[object_id]))

    @action(description=_("Health of the sources"), permissions=["view"])
    def show_health(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:articles_source_health"))

    @action(description=_("Add warandpeace.ru"), permissions=["add"])
    def add_warandpeace(self, request: HttpRequest) -> HttpResponse:
        """The form of a new source, filled in: nothing is made before somebody has looked at it and saved it."""
        address = reverse("admin:articles_source_add")
        return HttpResponseRedirect(f"{address}?preset={WARANDPEACE.slug}")

    @display(description=_("source"), ordering="name", header=True)
    def name_and_address(self, source: Source) -> tuple[str, str]:
        return source.name, source.url

    @display(description=_("health"), label={tone: tone for tone in ("info", "success", "warning", "danger")})
    def health(self, source: Source) -> tuple[str, str]:
        state = health(source)
        return state.tone, state.label

    @display(description=_("last error"))
    def health_detail(self, source: Source) -> str:
        if not source.consecutive_failures:
            return ""
        attempt = gettext("attempt %(number)d at %(time)s") % {
            "number": source.consecutive_failures + 1,
            "time": when(source.next_fetch_at),
        }
        return f"{source.last_error} · {attempt}"

    @display(description=_("next fetch"), ordering="next_fetch_at")
    def next_fetch(self, source: Source) -> str:
        return when(source.next_fetch_at) if source.is_active else "—"

    @display(description=_("articles"))
    def articles_link(self, source: Source) -> SafeString:
        address = list_url(Article, source__id__exact=source.pk)
        return format_html('<a class="wp-link" href="{}">{}</a>', address, gettext("open"))

    @admin.action(description=_("Fetch now"), permissions=["change"])
    def fetch_selected(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        chosen = list(queryset.active().values_list("pk", flat=True))  # type: ignore[attr-defined]
        asked = Source.objects.filter(pk__in=chosen).fetch_now()
        for pk in chosen:
            ring(fetch_source, pk)
        message = ngettext("%(asked)d source is being fetched.", "%(asked)d sources are being fetched.", asked)
        level = messages.SUCCESS if asked else messages.WARNING
        self.message_user(request, message % {"asked": asked}, level)

    @action(description=_("Save and fetch now"), permissions=["change"])
    def save_and_fetch(self, request: HttpRequest, source: Source) -> None:
        self.fetch_selected(request, Source.objects.filter(pk=source.pk))

    @admin.action(description=_("Switch on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        changed = self._switch(queryset, is_active=True)
        message = ngettext("%(changed)d source is watched now.", "%(changed)d sources are watched now.", changed)
        self.message_user(request, message % {"changed": changed}, messages.SUCCESS)

    @admin.action(description=_("Switch off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        changed = self._switch(queryset, is_active=False)
        message = ngettext("%(changed)d source is switched off.", "%(changed)d sources are switched off.", changed)
        self.message_user(request, message % {"changed": changed}, messages.SUCCESS)

    @admin.action(description=_("Use the ready description of the site"), permissions=["change"])
    def describe_selected(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        """Also for feeds: it says how the pages of their articles and the site's archive are read."""
        known = [(source, preset) for source in queryset if (preset := presets.of_address(source.url))]
        for source, preset in known:
            source.selectors, source.usual_yield, source.text_misses = preset.selectors, {}, 0
            source.save(update_fields=["selectors", "usual_yield", "text_misses"])
        message = ngettext("%(count)d source is described now.", "%(count)d sources are described now.", len(known)) % {
            "count": len(known)
        }
        self.message_user(request, message, messages.SUCCESS if known else messages.WARNING)

    def _switch(self, queryset: QuerySet[Source], *, is_active: bool) -> int:
        """One by one, so that each change is in its history."""
        chosen = list(queryset.filter(is_active=not is_active))
        for source in chosen:
            source.is_active = is_active
            source.save(update_fields=["is_active"])
        return len(chosen)
