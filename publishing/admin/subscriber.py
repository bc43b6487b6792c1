"""People who talk to the bot."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from publishing.models import Subscriber
from usage.listing import ExactSearch, LargeTableAdmin


@admin.register(Subscriber)
class SubscriberAdmin(ExactSearch, LargeTableAdmin):
    list_display = ("telegram_user_id", "state", "language", "wants_daily", "wants_weekly", "created_at")
    list_filter = ("state", "wants_daily", "wants_weekly")
    search_fields = ("telegram_user_id",)
    search_help_text = _("The number of a Telegram user")
    sortable_by = ()
    empty_text = _("Nobody has subscribed.")
    readonly_fields = ("telegram_user_id", "created_at", "updated_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
