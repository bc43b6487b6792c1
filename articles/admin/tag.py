"""Tags and the rules by which they are given, with a look at what a rule would match before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from articles.indexing import document_of
from articles.models import Article, Tag, TagRule
from articles.tagging.giving import text_of
from articles.tagging.rules import Rule, TooSlow, compiled
from usage.addresses import list_url
from usage.listing import LargeTableAdmin, NamedInline

# A preview looks at so many of the newest articles and shows so many of those that match.
LOOKED_AT = 1_000
SHOWN = 50
# An expression that was too slow so often is too slow.
MOST_TIMEOUTS = 3


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]  # no generic at run time
    class Meta:
        model = TagRule
        fields = ("tag", "kind", "pattern", "in_title_only", "source", "is_active")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned and cleaned.get("kind") and cleaned.get("pattern"):
            try:
                compiled(TagRule(kind=cleaned["kind"], pattern=cleaned["pattern"], tag_id=0))
            except ValidationError as error:
                self.add_error("pattern", error)
        return cleaned


class RulesOfTag(NamedInline):
    model = TagRule
    form = RuleForm
    extra = 0
    fields = ("kind", "pattern", "in_title_only", "source", "is_active")
    autocomplete_fields = ("source",)
    hide_title = True


@admin.register(Tag)
class TagAdmin(LargeTableAdmin):
    list_display = ("name", "articles_link", "rules")
    search_fields = ("name", "slug")
    search_help_text = _("A part of the name")
    sortable_by = ("name",)
    ordering = ("name",)
    fields = ("name",)
    inlines = (RulesOfTag,)
    empty_text = _("No tag yet: topics of sources become tags by themselves, and you may add your own.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        tags: QuerySet[Tag] = super().get_queryset(request)
        return tags.annotate(rule_count=Count("rules"))

    @display(description=_("rules"), ordering="rule_count")
    def rules(self, tag: Any) -> int:
        return int(tag.rule_count)

    @display(description=_("articles"))
    def articles_link(self, tag: Tag) -> SafeString:
        address = list_url(Article, tags__id__exact=tag.pk)
        return format_html('<a class="wp-link" href="{}">{}</a>', address, _("its articles"))


@dataclass(frozen=True)
class Preview:
    """What a rule matched among the newest articles; `looked_at` of them were asked."""

    matches: list[Article]
    looked_at: int
    is_slow: bool


def preview(rule: Rule) -> Preview:
    """Ask the rule about the newest articles, until enough match or it proves too slow."""
    matches, looked_at, timeouts = list[Article](), 0, 0
    newest = Article.objects.select_related("source").order_by("-published_at", "-pk")[:LOOKED_AT]
    for article in newest.iterator(chunk_size=100):
        looked_at += 1
        try:
            if rule.matches(text_of(article, document_of(article))):
                matches.append(article)
        except TooSlow:
            timeouts += 1
        if len(matches) >= SHOWN or timeouts >= MOST_TIMEOUTS:
            break
    return Preview(matches, looked_at, is_slow=timeouts > 0)


@admin.register(TagRule)
class TagRuleAdmin(LargeTableAdmin):
    form = RuleForm
    list_display = ("tag", "kind", "pattern", "source", "is_active", "last_error")
    list_filter = ("kind", "is_active")
    list_select_related = ("tag", "source")
    autocomplete_fields = ("tag", "source")
    search_fields = ("pattern", "tag__name")
    search_help_text = _("A part of the pattern or of the tag's name")
    empty_text = _("No rule yet. A rule gives a tag to each article that it matches.")
    change_form_after_template = "admin/articles/tagrule/preview_button.html"
    readonly_fields = ("last_error",)

    def get_urls(self) -> list[URLPattern]:
        ours = path("preview/", self.admin_site.admin_view(self.preview_view), name="articles_tagrule_preview")
        return [ours, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: TagRule, form: Any, change: bool) -> None:
        obj.last_error = ""
        super().save_model(request, obj, form, change)

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """What the rule in the form would match, without saving it."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        form = RuleForm(request.POST)
        form.fields["tag"].required = False
        found = None
        if form.is_valid():
            data = form.cleaned_data
            found = preview(
                compiled(
                    TagRule(
                        kind=data["kind"],
                        pattern=data["pattern"],
                        in_title_only=data["in_title_only"],
                        source=data["source"],
                        tag_id=0,
                    )
                )
            )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("What the rule would match"),
            "form": form,
            "preview": found,
        }
        return TemplateResponse(request, "admin/articles/tagrule/preview.html", context)
