"""The list of articles, quick with a million of them, and one article with every version of its summary."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action, display

from articles.admin.choosing import choose_provider, write_notes, write_summaries
from articles.admin.filing import FIELD, FiledArticles
from articles.admin.forecast import ForecastFilter, notes_of
from articles.admin.searching import SearchedArticles
from articles.admin.story import merge_selected
from articles.forecasts import planning
from articles.models import Article, Summary
from articles.storing import fingerprint
from articles.tasks import summarise_article, write_note
from usage.doorbell import ring
from usage.exporting import Exported
from usage.listing import ReadOnlyInline

TONES = {
    Article.Status.NEW: "info",
    Article.Status.READY: "info",
    Article.Status.SUMMARISED: "success",
    Article.Status.STORED: "info",
    Article.Status.FAILED: "danger",
}


class LanguageFilter(admin.SimpleListFilter):
    """By the languages we speak: asking the table which ones it holds would read all of it."""

    title = _("language")
    parameter_name = "language"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(settings.LANGUAGES)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Article]) -> QuerySet[Article]:
        return queryset.filter(language=self.value()) if self.value() else queryset


class SummariesOfArticle(ReadOnlyInline):
    model = Summary
    fields = ("version", "text", "written_by", "verdict", "created_at")
    readonly_fields = ("written_by", "verdict")
    verbose_name_plural = _("versions of the summary")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Summary]:
        summaries: QuerySet[Summary] = super().get_queryset(request).select_related("author")
        return summaries

    @display(description=_("written by"))
    def written_by(self, summary: Summary) -> str:
        return str(summary.author or f"{summary.provider} {summary.model}".strip() or "—")

    @display(description=_("check"))
    def verdict(self, summary: Summary) -> Any:
        return _("look at it") if summary.bars_approval else _("supported") if summary.text else "—"


class ArticleAdmin(Exported, SearchedArticles, FiledArticles):
    """Registered by publishing, which adds the way to the channels: this app knows none."""

    export_fields = (
        "id",
        "published_at",
        "source__name",
        "title",
        "canonical_link",
        "status",
        "language",
        "topic",
        "summary_text",
    )

    list_display = ("article", "status_label", "published")
    list_filter = ("status", "source", ("tags", AutocompleteSelectFilter), LanguageFilter, ForecastFilter)
    list_filter_submit = True
    list_select_related = ("source",)
    sortable_by = ("published",)
    empty_text = _("No article yet: they come as soon as a source that is switched on has been read.")
    actions = ("summarise_again_selected", "summarise_with", "forecast_with", "merge_selected")
    actions_submit_line = ("save_and_summarise", "save_and_forecast")
    change_form_outer_after_template = "admin/articles/article/forecast.html"
    inlines = (SummariesOfArticle,)
    readonly_fields: tuple[str, ...] = (
        "source",
        "link",
        "status",
        "published_at",
        "published_precision",
        "language",
        "duplicate_of",
        "story",
        "last_error",
        "edited_at",
        "created_at",
        "updated_at",
    )
    fieldsets: tuple[tuple[Any, dict[str, Any]], ...] = (
        (None, {"fields": ("title", "summary_text", "lead", "content", FIELD, "topic")}),
        (
            _("Where it comes from"),
            {
                "fields": (
                    ("source", "link"),
                    ("published_at", "published_precision", "language"),
                    ("duplicate_of", "story"),
                )
            },
        ),
        (_("State"), {"fields": (("status", "last_error"), ("created_at", "updated_at"), "edited_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Article]:
        articles: QuerySet[Article] = super().get_queryset(request)
        if request.resolver_match and request.resolver_match.url_name == "articles_article_changelist":
            return articles.defer("content", "lead", "summary_text", "last_error")
        return articles

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Article | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Article, form: ModelForm[Article], change: bool) -> None:
        # Its source goes on bringing an article up to date whose tags alone were corrected.
        if set(form.changed_data) - {FIELD}:
            obj.edited_at = timezone.now()
        if "content" in form.changed_data:
            obj.content_hash = fingerprint(obj.content)
        if {"content", "lead"} & set(form.changed_data):
            obj.compare_at = timezone.now()
        super().save_model(request, obj, form, change)

    @display(description=_("article"), header=True)
    def article(self, article: Article) -> tuple[str, str]:
        tags = ", ".join(tag.name for tag in article.tags.all())
        source = f"{article.source.name} · {tags}" if tags else article.source.name
        if found := getattr(article, "found", None):
            return found.title, format_html("{} — {}", source, found.snippet)
        return article.title, source

    @display(description=_("published"), ordering="published_at")
    def published(self, article: Article) -> str:
        return article.published_when

    @display(description=_("status"), label=TONES)
    def status_label(self, article: Article) -> tuple[str, str]:
        return article.status, article.get_status_display()

    @display(description=_("address"))
    def link(self, article: Article) -> SafeString:
        return format_html(
            '<a class="wp-link" href="{0}" rel="noopener noreferrer" target="_blank">{0}</a>', article.canonical_link
        )

    @admin.action(description=_("Summarise again"), permissions=["change"])
    def summarise_again_selected(self, request: HttpRequest, queryset: QuerySet[Article]) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        queued = Article.objects.filter(pk__in=chosen).summarise_again()
        for pk in chosen:
            ring(summarise_article, pk)
        message = ngettext(
            "%(queued)d article is being summarised.", "%(queued)d articles are being summarised.", queued
        )
        self.message_user(request, message % {"queued": queued}, messages.SUCCESS if queued else messages.WARNING)

    @admin.action(description=_("Summarise with…"), permissions=["change"])
    def summarise_with(self, request: HttpRequest, queryset: QuerySet[Article]) -> HttpResponse | None:
        return choose_provider(self, request, queryset, write_summaries)

    @admin.action(description=_("Write forecast notes with…"), permissions=["change"])
    def forecast_with(self, request: HttpRequest, queryset: QuerySet[Article]) -> HttpResponse | None:
        return choose_provider(self, request, queryset, write_notes)

    @admin.action(description=_("Make one story"), permissions=["change"])
    def merge_selected(self, request: HttpRequest, queryset: QuerySet[Article]) -> HttpResponse | None:
        return merge_selected(self, request, queryset)

    @action(description=_("Save and summarise again"), permissions=["change"])
    def save_and_summarise(self, request: HttpRequest, article: Article) -> None:
        self.summarise_again_selected(request, Article.objects.filter(pk=article.pk))

    @action(description=_("Save and write a forecast note"), permissions=["change"])
    def save_and_forecast(self, request: HttpRequest, article: Article) -> None:
        for number in planning.request([article.pk]):
            ring(write_note, number)
            self.message_user(request, _("The forecast note is being written."), messages.SUCCESS)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        article = Article.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        notes = notes_of(article) if article else {}
        response: HttpResponse = super().change_view(request, object_id, form_url, (extra_context or {}) | notes)
        return response
