"""The pictures that posts wanted: what came, and why nothing did."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from articles.models import Picture
from articles.tasks import fetch_picture
from usage.doorbell import ring
from usage.listing import ExactSearch, LargeTableAdmin, ReadOnly
from usage.moments import when

TONES = {Picture.Status.WANTED: "info", Picture.Status.FETCHED: "success", Picture.Status.NONE: "warning"}


@admin.register(Picture)
class PictureAdmin(ReadOnly, ExactSearch, LargeTableAdmin):
    list_display = ("picture", "headline", "status_label", "asked")
    list_filter = ("status",)
    sortable_by = ()
    search_fields = ("article",)
    search_help_text = _("The number of its article")
    empty_text = _("No picture was wanted yet: switch “with photos” on in a channel.")
    actions = ("fetch_again",)
    fields = ("article", "file", "url", "status", "last_error", "attempts", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Picture]:
        pictures: QuerySet[Picture] = super().get_queryset(request)
        return pictures.select_related("article__source", "media").defer("media__body")

    def get_fields(self, request: HttpRequest, obj: Picture | None = None) -> Any:
        return self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Picture | None = None) -> Any:
        return self.fields

    def has_fetch_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("articles.change_picture")

    @admin.action(description=_("Fetch again"), permissions=["fetch"])
    def fetch_again(self, request: HttpRequest, queryset: QuerySet[Picture]) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        count = Picture.objects.filter(pk__in=chosen).fetch_again()
        for pk in chosen:
            ring(fetch_picture, pk)
        done = ngettext("%(count)d picture is being fetched.", "%(count)d pictures are being fetched.", count)
        self.message_user(request, done % {"count": count})

    @display(description=_("picture"))
    def picture(self, picture: Picture) -> SafeString | str:
        return _shown(picture, "wp-thumbnail")

    @display(description=_("picture"))
    def file(self, picture: Picture) -> SafeString | str:
        return _shown(picture, "wp-picture")

    @display(description=_("article"), header=True)
    def headline(self, picture: Picture) -> tuple[str, str]:
        return picture.article.title, picture.last_error or picture.article.source.name

    @display(description=_("status"), label=TONES)
    def status_label(self, picture: Picture) -> tuple[str, str]:
        return picture.status, picture.get_status_display()

    @display(description=_("asked for"))
    def asked(self, picture: Picture) -> str:
        return when(picture.created_at)


def _shown(picture: Picture, css_class: str) -> SafeString | str:
    if picture.media is None:
        return "—"
    return render_to_string("admin/articles/picture.html", {"media": picture.media, "css_class": css_class})
