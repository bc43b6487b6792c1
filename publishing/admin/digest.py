"""Digests, each with its workbench, and the schedules by which they come."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from publishing.models import Digest, DigestPlan
from usage.listing import LargeTableAdmin


@admin.register(Digest)
class DigestAdmin(LargeTableAdmin):
    list_display = ("period_label", "channel", "state_label", "version", "is_current", "updated_at")
    list_filter = ("period", "state", "is_current", "channel")
    list_select_related = ("channel",)
    sortable_by = ()
    empty_text = _("No digest has been written.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=_("digest"))
    def period_label(self, digest: Digest) -> str:
        return str(digest)

    @display(
        description=_("state"),
        label={
            Digest.State.DRAFT: "warning",
            Digest.State.READY: "success",
            Digest.State.EMPTY: "info",
            Digest.State.FAILED: "danger",
        },
    )
    def state_label(self, digest: Digest) -> tuple[str, str]:
        return digest.state, digest.get_state_display()


@admin.register(DigestPlan)
class DigestPlanAdmin(LargeTableAdmin):
    list_display = ("channel", "period", "at", "approves_itself", "is_active")
    list_filter = ("channel", "period")
    list_select_related = ("channel",)
    fields = ("channel", "period", "at", "approves_itself", "is_active")
    empty_text = _("No channel has a digest that is made by itself.")

    def save_model(self, request: HttpRequest, obj: DigestPlan, form: Any, change: bool) -> None:
        """A schedule that is switched on again does not make up for the time it was off."""
        if "is_active" in form.changed_data and obj.is_active:
            obj.begins_at = timezone.now()
        super().save_model(request, obj, form, change)
