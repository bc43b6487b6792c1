"""Channels: where posts go, how fast, and the button that stops them all."""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin
from unfold.decorators import display

from publishing import holding
from publishing.admin import sample
from publishing.admin.sample import ChannelForm
from publishing.models import Channel
from publishing.tasks import deliver_channel
from usage.addresses import list_url, wanted_url
from usage.doorbell import ring
from usage.listing import SimpleSave
from usage.models import Alert
from usage.moments import when


@admin.register(Channel)
class ChannelAdmin(SimpleSave, SimpleHistoryAdmin, ModelAdmin):
    list_display = ("name_and_chat", "state", "quiet_hours", "seconds_between_posts", "auto_approve", "next_post")
    list_filter = ("kind", "is_paused")
    search_fields = ("name", "slug")
    list_fullwidth = True
    actions = ("pause_selected", "resume_selected", "release_selected")
    filter_horizontal = ("sources",)
    prepopulated_fields = {"slug": ("name",)}
    change_form_before_template = "admin/publishing/channel/before.html"
    form = ChannelForm
    readonly_fields = ("sample_post",)
    fieldsets = (
        (None, {"fields": (("name", "slug"), ("kind", "language"), "sources", "carries_forecasts")}),
        (_("What posts look like"), {"fields": (("footer", "with_photos"), ("template", "sample_post"))}),
        (_("Telegram"), {"fields": (("chat_id", "audit_chat_id"), "token_env")}),
        (
            _("When posts go out"),
            {"fields": ("auto_approve", "seconds_between_posts", ("quiet_from", "quiet_until"), "time_zone")},
        ),
        (_("Pause"), {"fields": ("is_paused", "pause_reason", "passes_unresolved")}),
    )

    def get_urls(self) -> list[URLPattern]:
        guard = self.admin_site.admin_view
        return [
            path("<int:pk>/pause/", guard(self.pause_view), name="publishing_channel_pause"),
            path("sample/", guard(self.sample_view), name="publishing_channel_sample"),
            *super().get_urls(),
        ]

    def has_pause_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("publishing.pause_channel")

    def pause_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Pause the channel, or resume it: what the form's `paused` says, so that two clicks are not a toggle."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_pause_permission(request):
            raise PermissionDenied
        channel = get_object_or_404(Channel, pk=pk)
        self._set(request, channel, is_paused=request.POST.get("paused") == "1")
        return HttpResponseRedirect(wanted_url(request) or list_url(Channel))

    def sample_view(self, request: HttpRequest) -> HttpResponse:
        """A sample post by what stands in the form right now. Nothing is written."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        return TemplateResponse(request, "admin/publishing/channel/sample.html", sample.typed(request.POST))

    @display(description=_("As subscribers will see it"))
    def sample_post(self, channel: Channel) -> SafeString:
        return sample.of_channel(channel)

    @admin.action(description=_("Pause"), permissions=["pause"])
    def pause_selected(self, request: HttpRequest, queryset: QuerySet[Channel]) -> None:
        for channel in queryset:
            self._set(request, channel, is_paused=True)

    @admin.action(description=_("Resume"), permissions=["pause"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[Channel]) -> None:
        for channel in queryset:
            self._set(request, channel, is_paused=False)

    @admin.action(description=_("Release what was held after a restore"), permissions=["pause"])
    def release_selected(self, request: HttpRequest, queryset: QuerySet[Channel]) -> None:
        for channel in queryset:
            count = holding.release(channel)
            ring(deliver_channel, channel.pk)
            done = ngettext("%(channel)s: %(count)d released.", "%(channel)s: %(count)d released.", count)
            messages.success(request, done % {"channel": channel, "count": count})

    def _set(self, request: HttpRequest, channel: Channel, *, is_paused: bool) -> None:
        if channel.lacks_chat and not is_paused:
            said = gettext("%(channel)s has no chat to post to: name it first.") % {"channel": channel}
            messages.error(request, said)
            return
        channel.is_paused = is_paused
        channel.pause_reason = gettext("by %(person)s") % {"person": request.user} if is_paused else ""
        channel.save(update_fields=["is_paused", "pause_reason"])
        if is_paused:
            messages.warning(request, gettext("%(channel)s is paused: nothing goes out.") % {"channel": channel})
            return
        Alert.is_over("channel_paused", channel.slug)
        ring(deliver_channel, channel.pk)
        messages.success(request, gettext("%(channel)s goes on.") % {"channel": channel})

    @display(description=_("channel"), header=True, ordering="name")
    def name_and_chat(self, channel: Channel) -> tuple[str, str]:
        return channel.name, f"{channel.get_kind_display()} {channel.chat_id}".strip()

    @display(description=_("state"), label={"paused": "danger", "open": "success"})
    def state(self, channel: Channel) -> tuple[str, str]:
        return ("paused", gettext("paused")) if channel.is_paused else ("open", gettext("posts go out"))

    @display(description=_("quiet hours"))
    def quiet_hours(self, channel: Channel) -> str:
        if channel.quiet_from is None or channel.quiet_until is None:
            return "—"
        return f"{channel.quiet_from:%H:%M}–{channel.quiet_until:%H:%M}"

    @display(description=_("next post not before"))
    def next_post(self, channel: Channel) -> str:
        return when(channel.next_post_at)
