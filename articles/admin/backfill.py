"""Walks through archives: begun, watched, paused, resumed and cancelled."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.timesince import timeuntil
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action, display

from articles.backfill import check
from articles.models import BackfillRun
from articles.sites.reading import NotDescribed
from articles.tasks import continue_backfill
from usage.doorbell import ring
from usage.listing import LargeTableAdmin

# What can be done with a run, by its state.
LIVE, STOPPED = ("pause_run", "cancel_run"), ("resume_run", "cancel_run")
FITTING = {
    BackfillRun.State.PENDING: LIVE,
    BackfillRun.State.RUNNING: LIVE,
    BackfillRun.State.PAUSED: STOPPED,
    BackfillRun.State.FAILED: STOPPED,
    BackfillRun.State.CANCELLED: ("resume_run",),
    BackfillRun.State.DONE: (),
}
PLANNED = (("source", "direction"), ("date_from", "date_to"), ("page_limit", "with_content"))


class PlanForm(ModelForm):  # type: ignore[type-arg]
    """A new run, which its archive must allow."""

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError where the archive can't be read, or not in this direction."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "source" in cleaned and "direction" in cleaned:
            try:
                check(cleaned["source"], cleaned["direction"])
            except NotDescribed as error:
                raise ValidationError(str(error)) from error
        return cleaned


@admin.register(BackfillRun)
class BackfillRunAdmin(LargeTableAdmin):
    form = PlanForm
    list_display = ("source", "range_label", "state_label", "progress", "speed", "left", "error_label")
    list_filter = ("state", "source")
    list_select_related = ("source",)
    sortable_by = ()
    empty_text = _("No archive has been loaded.")
    actions = ("pause_selected", "resume_selected", "cancel_selected")
    actions_submit_line = ("pause_run", "resume_run", "cancel_run")

    def get_fieldsets(self, request: HttpRequest, obj: BackfillRun | None = None) -> Any:
        if obj is None:
            return ((None, {"fields": PLANNED}),)
        return (
            (None, {"fields": (*PLANNED, ("state", "origin"), "error")}),
            (
                _("How far it is"),
                {
                    "fields": (
                        ("days_label", "pages"),
                        ("created_count", "updated_count", "unchanged_count"),
                        ("text_count", "failed_count"),
                        ("speed", "left"),
                        ("created_at", "started_at", "finished_at"),
                        "checkpoint",
                    )
                },
            ),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: BackfillRun | None = None) -> tuple[str, ...]:
        named = ("days_label", "speed", "left")
        return (*(field.name for field in BackfillRun._meta.fields), *named) if obj else ()

    def save_model(self, request: HttpRequest, obj: BackfillRun, form: ModelForm[BackfillRun], change: bool) -> None:
        """A new run is due at once. One that is under way is written by its steps alone."""
        if change:
            for pressed in self.get_actions_submit_line(request, obj.pk):
                if pressed.action_name in request.POST:
                    pressed.method(request, obj)
            return
        obj.next_step_at = timezone.now()
        super().save_model(request, obj, form, change)
        ring(continue_backfill, obj.pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A run as it stands: nothing of it can be edited, so nothing is to be saved."""
        nothing_to_save = {"show_save": False, "show_save_and_continue": False}
        page: HttpResponse = super().change_view(request, object_id, form_url, nothing_to_save | (extra_context or {}))
        return page

    def get_actions_submit_line(self, request: HttpRequest, object_id: int) -> list[UnfoldAction]:
        """The buttons that fit the run's state; one that was pressed is heeded whatever has become of it since."""
        offered: list[UnfoldAction] = super().get_actions_submit_line(request, object_id)
        run = self.get_object(request, str(object_id)) if request.method == "GET" else None
        return [each for each in offered if not run or each.action_name.endswith(FITTING[run.state])]

    def has_delete_permission(self, request: HttpRequest, obj: BackfillRun | None = None) -> bool:
        return False

    @display(description=_("days"))
    def range_label(self, run: BackfillRun) -> str:
        return f"{run.date_from:%d.%m.%Y} – {run.date_to:%d.%m.%Y}"

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

    @display(description=_("progress"))
    def days_label(self, run: BackfillRun) -> str:
        return gettext("%(done)d of %(days)d days") % {"done": run.days_done, "days": run.days}

    @display(description=_("progress"), header=True)
    def progress(self, run: BackfillRun) -> tuple[str, str]:
        stored = number_format(run.created_count, force_grouping=True)
        return self.days_label(run), gettext("new: %(new)s, failed: %(failed)d") % {
            "new": stored,
            "failed": run.failed_count,
        }

    @display(description=_("speed"))
    def speed(self, run: BackfillRun) -> str:
        if not run.pages_per_minute:
            return "—"
        return gettext("%(pages)s pages a minute") % {"pages": number_format(run.pages_per_minute, 0)}

    @display(description=_("time left"))
    def left(self, run: BackfillRun) -> str:
        if run.time_left is None or run.state not in {BackfillRun.State.PENDING, BackfillRun.State.RUNNING}:
            return "—"
        now = timezone.now()
        return timeuntil(now + run.time_left, now, depth=1)

    @display(description=_("error"))
    def error_label(self, run: BackfillRun) -> str:
        return run.error

    @admin.action(description=_("Pause"), permissions=["change"])
    def pause_selected(self, request: HttpRequest, queryset: QuerySet[BackfillRun]) -> None:
        count = queryset.pause()  # type: ignore[attr-defined]
        told = ngettext("%(count)d run is paused.", "%(count)d runs are paused.", count)
        self._tell(request, told, count)

    @admin.action(description=_("Resume"), permissions=["change"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[BackfillRun]) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        count = BackfillRun.objects.filter(pk__in=chosen).resume()
        for pk in chosen:
            ring(continue_backfill, pk)
        self._tell(request, ngettext("%(count)d run goes on.", "%(count)d runs go on.", count), count)

    @admin.action(description=_("Cancel the run"), permissions=["change"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[BackfillRun]) -> None:
        count = queryset.cancel()  # type: ignore[attr-defined]
        told = ngettext("%(count)d run is cancelled.", "%(count)d runs are cancelled.", count)
        self._tell(request, told, count)

    @action(description=_("Pause"), permissions=["change"])
    def pause_run(self, request: HttpRequest, run: BackfillRun) -> None:
        self.pause_selected(request, BackfillRun.objects.filter(pk=run.pk))

    @action(description=_("Resume"), permissions=["change"])
    def resume_run(self, request: HttpRequest, run: BackfillRun) -> None:
        self.resume_selected(request, BackfillRun.objects.filter(pk=run.pk))

    @action(description=_("Cancel the run"), permissions=["change"])
    def cancel_run(self, request: HttpRequest, run: BackfillRun) -> None:
        self.cancel_selected(request, BackfillRun.objects.filter(pk=run.pk))

    def _tell(self, request: HttpRequest, told: str, count: int) -> None:
        self.message_user(request, told % {"count": count}, messages.SUCCESS if count else messages.WARNING)
