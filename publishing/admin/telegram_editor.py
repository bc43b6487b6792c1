"""Which account of the newsroom each administrator of the bot decides as."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from publishing.models import TelegramEditor


@admin.register(TelegramEditor)
class TelegramEditorAdmin(ModelAdmin):
    list_display = ("telegram_user_id", "user")
    list_select_related = ("user",)
    list_fullwidth = True
    autocomplete_fields = ("user",)
    empty_text = _("Decisions by Telegram are recorded under the number of whoever took them.")
