"""Transfers in the admin: when, from where, what came of each table, and what could not be taken over. Read-only."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_otp_webauthn.models import WebAuthnCredential
from unfold.decorators import display

from usage.listing import LargeTableAdmin, ReadOnly, ReadOnlyInline
from warandpeace.transfer.models import CorrectedRow, QuarantinedRow, Transfer

if admin.site.is_registered(WebAuthnCredential):
    admin.site.unregister(WebAuthnCredential)

HEADINGS = (
    *(_("table"), _("proof"), _("rows"), _("transferred"), _("merged"), _("in quarantine"), _("skipped")),
    _("put right"),
)
LONGEST_INLINE = 50


class QuarantineOfTransfer(ReadOnlyInline):
    model = QuarantinedRow
    fields = ("stream", "source_key", "reason")
    verbose_name_plural = _("Quarantine")
    per_page = LONGEST_INLINE


class CorrectionsOfTransfer(ReadOnlyInline):
    model = CorrectedRow
    fields = ("stream", "source_key", "right_values", "created_at")
    readonly_fields = ("right_values",)
    verbose_name_plural = _("Rows put right")
    per_page = LONGEST_INLINE

    @display(description=_("corrected values"))
    def right_values(self, row: CorrectedRow) -> SafeString:
        return format_html('<span class="wp-sub">{}</span>', json.dumps(row.values, ensure_ascii=False))


@admin.register(Transfer)
class TransferAdmin(ReadOnly, LargeTableAdmin):
    list_display = ("started_at", "source", "shown_state", "transferred", "quarantined", "finished_at")
    list_filter = ("state",)
    fields = ("source", "target", "state", "started_at", "finished_at", "error", "account")
    readonly_fields = ("account",)
    inlines = (QuarantineOfTransfer, CorrectionsOfTransfer)
    empty_text = _("Nothing was transferred here yet: see `manage.py transfer --help`.")

    @display(
        description=_("state"),
        label={
            Transfer.State.RUNNING: "info",
            Transfer.State.PROVED: "success",
            Transfer.State.UNPROVED: "danger",
            Transfer.State.INTERRUPTED: "warning",
        },
    )
    def shown_state(self, transfer: Transfer) -> tuple[str, str]:
        return transfer.state, transfer.get_state_display()

    @display(description=_("transferred"))
    def transferred(self, transfer: Transfer) -> str:
        return _sum(transfer, "transferred")

    @display(description=_("in quarantine"))
    def quarantined(self, transfer: Transfer) -> str:
        return _sum(transfer, "quarantined")

    @display(description=_("account"))
    def account(self, transfer: Transfer) -> SafeString:
        """The report's table, the largest first: every row of the source is in one of its columns."""
        head = format_html_join("", "<th>{}</th>", ((heading,) for heading in HEADINGS))
        rows = format_html_join("", "<tr>{}</tr>", ((_labelled(row),) for row in _cells(transfer)))
        look = "wp-table wp-numbers wp-stacked"
        table = format_html('<table class="{}"><thead><tr>{}</tr></thead>{}</table>', look, head, rows)
        # It may be wider than the window: whoever has no mouse scrolls it by the keyboard.
        return format_html(
            '<div class="wp-scroll" tabindex="0" role="region" aria-label="{}">{}</div>', _("account"), table
        )


@admin.register(QuarantinedRow)
class QuarantinedRowAdmin(ReadOnly, LargeTableAdmin):
    list_display = ("stream", "source_key", "reason", "created_at")
    list_filter = ("stream",)
    search_fields = ("source_key", "reason")
    fields = ("transfer", "stream", "source_key", "reason", "values", "created_at")
    readonly_fields = ("values",)
    empty_text = _("Every row could be taken over.")

    @display(description=_("original values"))
    def values(self, row: QuarantinedRow) -> SafeString:
        text = json.dumps(row.original, ensure_ascii=False, indent=2)
        return format_html('<pre class="wp-plain">{}</pre>', text)


def _tables(transfer: Transfer) -> dict[str, dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = transfer.report.get("tables", {})
    return tables


def _sum(transfer: Transfer, name: str) -> str:
    return _number(sum(int(table[name]) for table in _tables(transfer).values()))


def _number(count: int) -> str:
    return number_format(count, force_grouping=True)


def _cells(transfer: Transfer) -> list[tuple[Any, ...]]:
    tables = sorted(_tables(transfer).items(), key=lambda named: (-named[1]["count"], named[0]))
    return [
        (
            name,
            _("holds") if table["holds"] else _("fails"),
            _number(table["count"]),
            _number(table["transferred"]),
            _number(table["merged"]),
            _number(table["quarantined"]),
            _number(sum(table["skipped"].values())),
            _number(table.get("corrected", 0)),
        )
        for name, table in tables
    ]


def _labelled(cells: tuple[Any, ...]) -> SafeString:
    """The cells of a row, which on a phone stand below each other and say what they are."""
    name, *others = cells
    figures = format_html_join("", '<td data-label="{}">{}</td>', zip(HEADINGS[1:], others, strict=True))
    return format_html('<td class="whitespace-nowrap">{}</td>{}', name, figures)
