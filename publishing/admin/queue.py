"""The queue: what has not gone out yet, why, and when it will."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from articles.models import Summary
from publishing import approval
from publishing.admin import calendar, cells, decisions, live, stages, tour, undo
from publishing.models import Channel, PendingPublication, Publication
from publishing.queueing import explain
from usage.listing import LargeTableAdmin


class StageFilter(admin.SimpleListFilter):
    """The tabs; without a choice one sees what waits for a decision."""

    title = _("stage")
    parameter_name = "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, stage.label) for name, stage in stages.STAGES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if request.method == "POST" and self.value() is None:
            # A decision is about the rows that were chosen, under whichever tab they stood.
            return queryset
        return stages.of(queryset, stages.known(self.value() or ""))


@admin.register(PendingPublication)
class QueueAdmin(LargeTableAdmin):
    change_list_template = "admin/publishing/queue.html"
    list_display = ("publication", "why", "goes_out", "decide")
    list_display_links = None
    list_filter = (StageFilter, "channel")
    search_fields = ("title",)
    search_help_text = _("A word of the title")
    sortable_by = ()
    empty_text = _("Nothing waits here. Articles come by themselves from sources that queue automatically.")
    actions = ("approve_selected", "schedule_selected", "break_selected", "reject_selected", "withdraw_selected")

    class Media:
        css: ClassVar = {"all": ("publishing/desk.css",)}
        js = ("publishing/keyboard.js", "publishing/queue.js")

    def get_urls(self) -> list[URLPattern]:
        views = {
            "live": self.live_view,
            "undo": undo.view,
            "calendar": self.calendar_view,
            "calendar/move": self.move_view,
            "tour": self.tour_view,
        }
        own = [
            path(f"{name}/", self.admin_site.admin_view(view), name=f"publishing_queue_{name.replace('/', '_')}")
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def live_view(self, request: HttpRequest) -> HttpResponse:
        return live.view(self, request)

    def calendar_view(self, request: HttpRequest) -> HttpResponse:
        return calendar.view(self, request)

    def move_view(self, request: HttpRequest) -> HttpResponse:
        return calendar.move(self, request)

    def tour_view(self, request: HttpRequest) -> HttpResponse:
        return tour.view(self, request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        newest = Summary.objects.filter(article=OuterRef("article")).order_by("-version")
        queue: QuerySet[Any] = PendingPublication.objects.for_queue().annotate(
            written_by=Subquery(newest.values("provider")[:1]), written_with=Subquery(newest.values("model")[:1])
        )
        return queue

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return self.list_display if self.has_approve_permission(request) else self.list_display[:-1]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("publishing.approve_publication")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A publication has one page, whether it is in the queue or out."""
        return HttpResponseRedirect(reverse("admin:publishing_publication_change", args=[object_id]))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "POST" and "_one" in request.POST:
            return self._decide_one(request)
        response: HttpResponse = super().changelist_view(request, self._tabs(request) | (extra_context or {}))
        return response

    def _decide_one(self, request: HttpRequest) -> HttpResponse:
        """A row's own button: the same action as for many, on this row alone."""
        name, _separator, pk = request.POST["_one"].partition(":")
        action = self.get_actions(request).get(name)
        if action is None or not pk.isdecimal():
            return HttpResponse(status=400)
        response = action[0](self, request, self.get_queryset(request).filter(pk=int(pk)))
        return response or HttpResponseRedirect(request.get_full_path())

    def _tabs(self, request: HttpRequest) -> dict[str, Any]:
        channels = list(Channel.objects.all())
        wanted = request.GET.get("channel__id__exact", "")
        channel = next((row for row in channels if len(channels) == 1 or str(row.pk) == wanted), None)
        zone = channel.zone if channel else timezone.get_default_timezone()
        stage = stages.known(request.GET.get("stage", ""))
        queue = Publication.objects.in_queue()
        if channel:
            queue = queue.filter(channel=channel)
        return {
            "title": _("Publication queue"),
            "stages": stages.counted(queue),
            "stage": stage,
            "empty": stages.STAGES[stage].empty,
            "undo": undo.offered(request),
            "channels": channels,
            "channel": channel,
            "now": timezone.localtime(),
            "clock": cells.clock(timezone.now(), zone, is_zone_shown=True),
            "may_pause": request.user.has_perm("publishing.pause_channel"),
            "may_approve": self.has_approve_permission(request),
        }

    # --- columns ----------------------------------------------------------------------------------------------------

    @display(description=_("publication"))
    def publication(self, publication: Any) -> str:
        return cells.post(publication)

    @display(description=_("why it isn't out yet"))
    def why(self, publication: Any) -> str:
        return cells.reason(explain(publication))

    @display(description=_("goes out"))
    def goes_out(self, publication: Any) -> str:
        return cells.goes_out(publication)

    @display(description="")
    def decide(self, publication: Any) -> str:
        return cells.buttons(publication)

    # --- actions ----------------------------------------------------------------------------------------------------

    @admin.action(description=_("Approve"), permissions=["approve"])
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        tally = approval.approve_many(chosen, by=decisions.decider(request), seen=self._seen(request), hold=undo.hold())
        decisions.ring_channels(chosen)
        done = ngettext("%(count)d publication approved.", "%(count)d publications approved.", tally.done)
        undo.report(request, tally, done % {"count": tally.done})

    @admin.action(description=_("Set the time"), permissions=["approve"])
    def schedule_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        form = decisions.ScheduleForm(
            request.POST if "apply" in request.POST else None, zones=decisions.zones_of(queryset)
        )
        if not form.is_valid():
            return decisions.question(request, self, "schedule", queryset, form)
        by, seen, moments = decisions.decider(request), self._seen(request), form.cleaned_data["moment"]
        chosen = {zone: list(queryset.filter(channel__time_zone=zone).values_list("pk", flat=True)) for zone in moments}
        tally = decisions.together(
            approval.approve_many(chosen[zone], by=by, scheduled_for=moment, seen=seen)
            for zone, moment in moments.items()
        )
        done = ngettext(
            "%(count)d publication goes out %(when)s.", "%(count)d publications go out %(when)s.", tally.done
        )
        undo.report(request, tally, done % {"count": tally.done, "when": form.told()})
        return None

    @admin.action(description=_("Breaking news"), permissions=["approve"])
    def break_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        form = decisions.BreakingForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return decisions.question(request, self, "break", queryset, form)
        chosen = list(queryset.values_list("pk", flat=True))
        tally = approval.break_many(
            chosen, by=decisions.decider(request), seen=self._seen(request), **form.cleaned_data
        )
        decisions.ring_channels(chosen)
        done = ngettext("%(count)d goes out before all others.", "%(count)d go out before all others.", tally.done)
        undo.report(request, tally, done % {"count": tally.done})
        return None

    @admin.action(description=_("Reject"), permissions=["approve"])
    def reject_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        form = decisions.RejectForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return decisions.question(request, self, "reject", queryset, form)
        chosen = list(queryset.values_list("pk", flat=True))
        tally = approval.reject_many(chosen, by=decisions.decider(request), reason=form.cleaned_data["reason"])
        done = ngettext("%(count)d publication rejected.", "%(count)d publications rejected.", tally.done)
        undo.report(request, tally, done % {"count": tally.done})
        return None

    @admin.action(description=_("Return to the queue"), permissions=["approve"])
    def withdraw_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        tally = approval.withdraw_many(list(queryset.values_list("pk", flat=True)), by=decisions.decider(request))
        done = ngettext("%(count)d publication returned.", "%(count)d publications returned.", tally.done)
        decisions.report(request, tally, done % {"count": tally.done})

    def _seen(self, request: HttpRequest) -> dict[int, int]:
        """The revision of each row as it stood on the page: a decision is about what the person has seen."""
        prefix = "revision-"
        return {
            int(name.removeprefix(prefix)): int(str(value))
            for name, value in request.POST.items()
            if name.startswith(prefix) and name.removeprefix(prefix).isdecimal() and str(value).isdecimal()
        }
