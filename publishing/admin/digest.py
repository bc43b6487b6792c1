"""Digests and the articles in them."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from publishing.models import Digest, DigestItem
from usage.listing import LargeTableAdmin, ReadOnly, ReadOnlyInline


class ItemsOfDigest(ReadOnlyInline):
    model = DigestItem
    fields = ("position", "article")
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[DigestItem]:
        items: QuerySet[DigestItem] = super().get_queryset(request).select_related("article")
        return items


@admin.register(Digest)
class DigestAdmin(ReadOnly, LargeTableAdmin):
    list_display = ("period_label", "channel", "state_label", "version", "is_current", "updated_at")
    list_filter = ("period", "state", "is_current", "channel")
    list_select_related = ("channel",)
    sortable_by = ()
    inlines = (ItemsOfDigest,)
    empty_text = _("No digest has been written.")

    @display(description=_("digest"))
    def period_label(self, digest: Digest) -> str:
        return str(digest)

    @display(
        description=_("state"),
        label={Digest.State.DRAFT: "warning", Digest.State.READY: "success", Digest.State.FAILED: "danger"},
    )
    def state_label(self, digest: Digest) -> tuple[str, str]:
        return digest.state, digest.get_state_display()
