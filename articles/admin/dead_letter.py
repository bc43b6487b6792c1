"""What failed for good, with its reason: tried again or discarded, one by one or many at once."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from articles import dead_letters, pulse
from articles.dead_letters import Outcome
from articles.models import DeadLetter, Source
from usage.addresses import list_url
from usage.exporting import Exported
from usage.listing import ExactSearch, LargeTableAdmin
from usage.moments import when

# The most frequent errors and kinds, so many of them, are offered as filters.
OFFERED = 30
SOURCES_OFFERED = 200


class CountedFilter(admin.SimpleListFilter):
    """By the values of one field, each with how many letters have it."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        counts = DeadLetter.objects.order_by().values_list(str(self.parameter_name)).annotate(count=Count("pk"))
        frequent = counts.order_by("-count")[:OFFERED]
        return [(value, f"{self.label(value)} ({count})") for value, count in frequent]

    def label(self, value: str) -> str:
        return value or "—"

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
        chosen = self.value()
        return queryset if chosen is None else queryset.filter(**{str(self.parameter_name): chosen})


class KindFilter(CountedFilter):
    title = _("kind")
    parameter_name = "entity_type"

    def label(self, value: str) -> str:
        return str(dict(DeadLetter.EntityType.choices).get(value, value))


class ErrorFilter(CountedFilter):
    title = _("error")
    parameter_name = "error_code"


class SourceFilter(admin.SimpleListFilter):
    """By the source it came from, as far as that is known: see `pulse.letters_of`."""

    title = _("source")
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Source.objects.values_list("pk", "name")[:SOURCES_OFFERED]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
        chosen = self.value()
        if not chosen or not chosen.isdecimal():
            return queryset
        sources = Source.objects.filter(pk=int(chosen[:18]))
        return queryset.filter(pk__in=[pk for letters in pulse.letters_of(sources).values() for pk in letters])


@admin.register(DeadLetter)
class DeadLetterAdmin(Exported, ExactSearch, LargeTableAdmin):
    export_fields = (
        "id",
        "entity_type",
        "entity_ref",
        "error_code",
        "attempts",
        "first_seen_at",
        "last_seen_at",
        "next_attempt_at",
    )
    list_display = ("what", "entity_type", "error", "attempts", "last_seen_at", "state")
    list_filter = (KindFilter, ErrorFilter, SourceFilter)
    search_fields = ("entity_ref",)
    search_help_text = _("Its address or number, exactly")
    sortable_by = ("last_seen_at", "attempts")
    empty_text = _("Nothing has failed for good. What does is kept here with its reason.")
    readonly_fields = ("thing", *(field.name for field in DeadLetter._meta.fields))
    actions = ("retry_selected", "discard_selected")
    actions_detail = ("retry_one",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: DeadLetter | None = None) -> bool:
        return False

    def has_retry_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Trying again changes the thing's row, not the letter's."""
        return request.user.has_perm("articles.change_deadletter")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Ours in the place of Django's deletion, which would ask about each letter on a page of its own."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @display(description=_("what"))
    def what(self, letter: DeadLetter) -> SafeString:
        return format_html('<span class="wp-address">{}</span>', Truncator(letter.entity_ref).chars(160))

    @display(description=_("error"), header=True)
    def error(self, letter: DeadLetter) -> tuple[str, str]:
        return letter.error_code, Truncator(letter.error_payload).chars(160)

    @display(description=_("state"), label={"planned": "info", "tried": "warning", "waits": "danger"})
    def state(self, letter: DeadLetter) -> tuple[str, str]:
        if letter.next_attempt_at:
            return "planned", _("is tried again %(when)s") % {"when": when(letter.next_attempt_at)}
        if letter.retried_at and letter.retried_at >= letter.last_seen_at:
            return "tried", _("is being tried since %(when)s") % {"when": when(letter.retried_at)}
        return "waits", str(_("waits for a person"))

    @display(description=_("opens"))
    def thing(self, letter: DeadLetter) -> SafeString | str:
        """A link to the row that failed, where it is one of ours, or to the page."""
        if letter.entity_ref.startswith(("http://", "https://")):
            link = '<a class="wp-link" href="{0}" rel="noopener noreferrer" target="_blank">{0}</a>'
            return format_html(link, letter.entity_ref)
        pages = {"summary": "articles_article", "article": "articles_article", "forecast": "articles_article"}
        page = (pages | {"post": "publishing_publication"}).get(letter.entity_type)
        if page is None or not letter.entity_ref.isdecimal():
            return "—"
        address = reverse(f"admin:{page}_change", args=[letter.entity_ref])
        return format_html('<a class="wp-link" href="{}">{}</a>', address, letter.entity_ref)

    @admin.action(description=_("Try again"), permissions=["retry"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        counts = dead_letters.retry(queryset).counts
        due, lost = counts[Outcome.DUE] + counts[Outcome.FINE], counts[Outcome.LOST]
        if due:
            message = ngettext("%(count)d is being tried again.", "%(count)d are being tried again.", due)
            self.message_user(request, message % {"count": due}, messages.SUCCESS)
        if lost:
            message = ngettext(
                "%(count)d names nothing that is still there: discard it.",
                "%(count)d name nothing that is still there: discard them.",
                lost,
            )
            self.message_user(request, message % {"count": lost}, messages.WARNING)

    @admin.action(description=_("Discard"), permissions=["delete"])
    def discard_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        discarded = dead_letters.discard(queryset)
        message = ngettext("%(count)d is discarded.", "%(count)d are discarded.", discarded)
        self.message_user(request, message % {"count": discarded}, messages.SUCCESS)

    @action(description=_("Try again"), permissions=["retry"], url_path="retry")
    def retry_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        self.retry_selected(request, DeadLetter.objects.filter(pk=object_id))
        return HttpResponseRedirect(list_url(DeadLetter))
