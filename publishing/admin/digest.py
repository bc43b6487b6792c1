"""Digests, each with its workbench, and the schedules by which they come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import INPUT_CLASSES, UnfoldAdminSelectWidget

from publishing import digests
from publishing.admin import decisions
from publishing.admin.workbench import workbench
from publishing.models import Channel, Digest, DigestPlan, Period
from publishing.tasks import build_digest
from usage.doorbell import ring
from usage.listing import LargeTableAdmin
from usage.moments import when


def yesterday() -> str:
    return str(timezone.localdate() - timedelta(days=1))


class MakingForm(forms.Form):
    """Which digest to make."""

    channel = forms.ModelChoiceField(
        label=_("Channel"), queryset=Channel.objects.all(), empty_label=None, widget=UnfoldAdminSelectWidget
    )
    period = forms.ChoiceField(label=_("Period"), choices=Period.choices, widget=UnfoldAdminSelectWidget)
    day = forms.DateField(
        label=_("A day of the period"),
        initial=yesterday,
        help_text=_("In the channel's time zone."),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": " ".join(INPUT_CLASSES)}),
    )

    def make(self, request: HttpRequest) -> Digest | None:
        """Ask for the digest; None, with the reason among the form's errors, if that can't be."""
        said = self.cleaned_data
        try:
            return digests.request(said["period"], said["channel"], said["day"], by=decisions.decider(request))
        except (digests.DigestError, ValueError) as error:
            self.add_error("day", str(error))
            return None


@admin.register(Digest)
class DigestAdmin(LargeTableAdmin):
    list_display = ("headline", "state_label", "version", "is_current", "changed")
    list_filter = ("period", "state", "is_current", "channel")
    list_select_related = ("channel",)
    sortable_by = ()
    empty_text = _("No digest has been written. A schedule makes them by itself, or you make one here.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_change_permission(request))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for a digest; workers write it while its page shows how far they are."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = MakingForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and (digest := form.make(request)):
            ring(build_digest, digest.pk)
            messages.success(request, _("It is being written. This page shows how far it is."))
            return HttpResponseRedirect(reverse("admin:publishing_digest_change", args=[digest.pk]))
        context = {**self.admin_site.each_context(request), "opts": self.opts, "form": form}
        return TemplateResponse(request, "admin/publishing/digest_make.html", context | {"title": _("Make a digest")})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return workbench(self, request, object_id)

    @display(description=_("digest"), header=True)
    def headline(self, digest: Digest) -> tuple[str, str]:
        return str(digest), f"{digest.get_period_display()} · {digest.channel}"

    @display(description=_("changed"))
    def changed(self, digest: Digest) -> str:
        return when(digest.updated_at)

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
