"""Bots: whether each can be called right now, and the way to let one go on that was stopped."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from publishing import bots
from publishing.models import Bot
from usage.listing import ReadOnly
from usage.moments import when


@admin.register(Bot)
class BotAdmin(ReadOnly, ModelAdmin):
    list_display = ("name", "state", "why", "waits_until")
    list_fullwidth = True
    actions = ("resume_selected",)
    empty_text = _("No bot has been called yet: its row is made with the first post to Telegram.")

    def has_pause_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("publishing.pause_channel")

    @admin.action(description=_("Resume"), permissions=["pause"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[Bot]) -> None:
        for bot in queryset:
            bots.resume(bot)
            messages.success(request, gettext("%(bot)s goes on.") % {"bot": bot})

    @display(description=_("bot"), header=True)
    def name(self, bot: Bot) -> tuple[str, str]:
        return str(bot), bot.token_env if bot.username else ""

    @display(
        description=_("state"), label={"paused": "danger", "broken": "danger", "waits": "warning", "open": "success"}
    )
    def state(self, bot: Bot) -> tuple[str, str]:
        if bot.is_paused:
            return "paused", gettext("paused")
        if bot.is_broken:
            return "broken", gettext("Telegram does not answer")
        if bot.resumes_at > timezone.now():
            return "waits", gettext("waits")
        return "open", gettext("posts go out")

    @display(description=_("why paused"))
    def why(self, bot: Bot) -> str:
        return bot.pause_reason or "—"

    @display(description=_("waits until"))
    def waits_until(self, bot: Bot) -> str:
        return when(bot.resumes_at) if bot.resumes_at > timezone.now() else "—"
