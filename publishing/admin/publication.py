"""Everything that went out, will go out or was rejected; each with its editor."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from publishing import reactions
from publishing.admin import beside, rewriting
from publishing.admin.changes import change
from publishing.admin.editor import editor, preview, visible
from publishing.models import Publication
from usage.exporting import Exported
from usage.listing import ExactSearch, LargeTableAdmin
from usage.moments import when

TONES = {
    Publication.State.DRAFT: "info",
    Publication.State.PENDING: "warning",
    Publication.State.APPROVED: "info",
    Publication.State.SENDING: "info",
    Publication.State.CHANGING: "info",
    Publication.State.PUBLISHED: "success",
    Publication.State.EDITED: "success",
    Publication.State.DELETED: "warning",
    Publication.State.HELD: "warning",
    Publication.State.REJECTED: "info",
    Publication.State.FAILED: "danger",
}


@admin.register(Publication)
class PublicationAdmin(Exported, ExactSearch, LargeTableAdmin):
    export_fields = (
        "id",
        "channel__slug",
        "kind",
        "state",
        "title",
        "text",
        "edited_text",
        "created_at",
        "approved_by__username",
        "approved_at",
        "scheduled_for",
        "published_at",
    )
    list_display = ("headline", "state_label", "published", "reactions", "approved_by")
    list_filter = ("state", "channel")
    list_select_related = ("channel", "approved_by")
    sortable_by = ()
    search_fields = ("article",)
    search_help_text = _("The number of its article")
    empty_text = _("Nothing has been queued yet: publications are made of summarised articles.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Publication]:
        publications: QuerySet[Publication] = super().get_queryset(request)
        return publications.defer("text", "edited_text", "last_error").annotate(reactions=reactions.together())

    def get_urls(self) -> list[URLPattern]:
        own = path(
            "<int:pk>/preview/", self.admin_site.admin_view(self.preview_view), name="publishing_publication_preview"
        )
        change = path(
            "<int:pk>/post/<slug:what>/",
            self.admin_site.admin_view(self.change_post_view),
            name="publishing_publication_change_post",
        )
        beside_view = path(
            "<int:pk>/beside/", self.admin_site.admin_view(self.beside_view), name="publishing_publication_beside"
        )
        rewrite = path(
            "<int:pk>/rewrite/", self.admin_site.admin_view(self.rewrite_view), name="publishing_publication_rewrite"
        )
        return [own, change, beside_view, rewrite, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return editor(self, request, object_id)

    def change_post_view(self, request: HttpRequest, pk: int, what: str) -> HttpResponse:
        """Edit, delete or post again what is out."""
        return change(self, request, visible(self, request, str(pk)), what)

    def beside_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Who else has the publication open."""
        return beside.view(request, visible(self, request, str(pk)))

    def rewrite_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for another text, and see how far it is."""
        return rewriting.view(request, visible(self, request, str(pk)))

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return preview(self, request, pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=_("publication"), header=True)
    def headline(self, publication: Publication) -> tuple[str, str]:
        return publication.title, publication.channel.name

    @display(description=_("published"))
    def published(self, publication: Publication) -> str:
        return when(publication.published_at) if publication.published_at else "—"

    @display(description=_("reactions"))
    def reactions(self, publication: Publication) -> str:
        return str(getattr(publication, "reactions", 0) or "—")

    @display(description=_("state"), label=TONES)
    def state_label(self, publication: Publication) -> tuple[str, str]:
        return publication.state, publication.get_state_display()
