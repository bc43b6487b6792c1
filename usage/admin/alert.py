"""Alerts: read, and resolved by whoever has seen to them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from usage.listing import LargeTableAdmin
from usage.models import Alert, Provider
from usage.models.alert import AlertQuerySet


@admin.register(Alert)
class AlertAdmin(LargeTableAdmin):
    list_display = ("what", "state_label", "count", "first_at", "last_at", "told_at")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter),)
    sortable_by = ("last_at",)
    empty_text = _("Nothing needs a person.")
    actions = ("resolve",)
    readonly_fields = ("thing", *(field.name for field in Alert._meta.fields))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Alert | None = None) -> bool:
        return False

    @display(description=_("what"), header=True)
    def what(self, alert: Alert) -> tuple[str, str]:
        return alert.text, alert.subject

    @display(description=_("opens"))
    def thing(self, alert: Alert) -> SafeString | str:
        """The provider that it is about, where it is about one: its budgets and keys stand there."""
        name = alert.subject.partition(" ")[0].partition(":")[0]
        provider = Provider.objects.filter(name=name).first() if alert.code in Alert.Code.values else None
        if provider is None:
            return "—"
        address = reverse("admin:usage_provider_change", args=[provider.pk])
        return format_html('<a class="wp-link" href="{}">{}</a>', address, provider)

    @display(description=_("state"), label={"open": "danger", "resolved": "success"})
    def state_label(self, alert: Alert) -> tuple[str, Any]:
        return ("resolved", _("resolved")) if alert.resolved_at else ("open", _("unresolved"))

    @admin.action(description=_("Mark as resolved"), permissions=["change"])
    def resolve(self, request: HttpRequest, queryset: AlertQuerySet) -> None:
        count = queryset.resolve()
        message = ngettext("%(count)d alert is resolved.", "%(count)d alerts are resolved.", count) % {"count": count}
        self.message_user(request, message, messages.SUCCESS)
