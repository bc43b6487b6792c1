"""Walks through archives: how far each has come."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from articles.models import BackfillRun
from usage.listing import LargeTableAdmin


@admin.register(BackfillRun)
class BackfillRunAdmin(LargeTableAdmin):
    """Runs are begun elsewhere; here one watches them."""

    list_display = ("source", "date_from", "date_to", "state_label", "progress", "failed_count", "created_at")
    list_filter = ("state", "source")
    list_select_related = ("source",)
    sortable_by = ("created_at",)
    empty_text = _("No archive has been loaded.")
    readonly_fields = tuple(field.name for field in BackfillRun._meta.fields)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @display(
        description=_("state"),
        label={
            BackfillRun.State.RUNNING: "info",
            BackfillRun.State.PAUSED: "warning",
            BackfillRun.State.DONE: "success",
            BackfillRun.State.FAILED: "danger",
        },
    )
    def state_label(self, run: BackfillRun) -> tuple[str, str]:
        return run.state, run.get_state_display()

    @display(description=_("articles"))
    def progress(self, run: BackfillRun) -> str:
        done = number_format(run.created_count + run.updated_count, force_grouping=True)
        return f"{done} / {number_format(run.goal, force_grouping=True)}" if run.goal else done
