"""The tags of one article, as editors see and correct them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from articles import tagging
from articles.models import Article, ArticleTag, Tag
from usage.listing import LargeTableAdmin

FIELD = "filed_under"


class FiledArticleForm(forms.ModelForm):  # type: ignore[type-arg]  # no generic at run time
    """The form of an article with its tags. They are no field of the model's form: who gave each is kept with it."""

    filed_under = forms.ModelMultipleChoiceField(
        Tag.objects.all(),
        label=capfirst(_("tags")),
        required=False,
        widget=AutocompleteSelectMultiple(Article._meta.get_field("tags"), admin.site),
        help_text=_("What you add stays, and what you take away does not come back, whatever the rules say."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if FIELD in self.fields and self.instance.pk:
            self.initial[FIELD] = list(self.instance.tags.values_list("pk", flat=True))


class FiledArticles(LargeTableAdmin):
    """For an admin of articles: tags in the list, and a field `filed_under` in the form."""

    form = FiledArticleForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[Article]:
        articles: QuerySet[Article] = super().get_queryset(request)
        return articles.prefetch_related("tags")

    @display(description=_("tags"))
    def filed_under(self, article: Article) -> SafeString | str:
        """For who may only look: the tags, each with who gave it."""
        rows = ArticleTag.objects.filter(article=article).select_related("tag").order_by("tag__name")
        told = ((row.tag.name, row.get_origin_display()) for row in rows)
        return format_html_join(", ", "{} ({})", told) or "—"

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if FIELD in form.changed_data:
            tagging.correct(form.instance, form.cleaned_data[FIELD], by_id=request.user.pk)
