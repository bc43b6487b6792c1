"""What failed for good, with its reason, until somebody discards it."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from articles.models import DeadLetter
from usage.listing import ExactSearch, LargeTableAdmin


@admin.register(DeadLetter)
class DeadLetterAdmin(ExactSearch, LargeTableAdmin):
    list_display = ("what", "entity_type", "error", "attempts", "last_seen_at")
    list_filter = ("entity_type",)
    search_fields = ("entity_ref",)
    search_help_text = _("Its address or number, exactly")
    sortable_by = ("last_seen_at",)
    empty_text = _("Nothing has failed for good. What does is kept here with its reason.")
    readonly_fields = tuple(field.name for field in DeadLetter._meta.fields)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: DeadLetter | None = None) -> bool:
        return False

    @display(description=_("what"))
    def what(self, letter: DeadLetter) -> str:
        return Truncator(letter.entity_ref).chars(80)

    @display(description=_("error"), header=True)
    def error(self, letter: DeadLetter) -> tuple[str, str]:
        return letter.error_code, Truncator(letter.error_payload).chars(160)
