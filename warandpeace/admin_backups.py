"""Backups in the admin: when, how large, and whether each one was restored and found equal. Read-only."""

from __future__ import annotations

from django.contrib import admin
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from usage.listing import LargeTableAdmin, ReadOnly
from warandpeace.backups.models import Backup


@admin.register(Backup)
class BackupAdmin(ReadOnly, LargeTableAdmin):
    list_display = ("started_at", "name", "shown_state", "shown_size", "rows", "is_encrypted", "removed_at")
    list_filter = ("state",)
    fields = (
        *("name", "shown_state", "started_at", "finished_at", "shown_size", "rows"),
        *("is_encrypted", "removed_at", "error"),
    )
    readonly_fields = ("shown_state", "shown_size")
    empty_text = _("Nothing was backed up yet: the scheduler does it by itself, or `manage.py backup` now.")

    @display(
        description=_("state"),
        label={
            Backup.State.RUNNING: "info",
            Backup.State.VERIFIED: "success",
            Backup.State.FAILED: "danger",
            Backup.State.INTERRUPTED: "warning",
        },
    )
    def shown_state(self, backup: Backup) -> tuple[str, str]:
        return backup.state, backup.get_state_display()

    @display(description=_("size"), ordering="size")
    def shown_size(self, backup: Backup) -> str:
        return "—" if backup.size is None else str(filesizeformat(backup.size))
