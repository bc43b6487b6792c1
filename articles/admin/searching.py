"""The search above the list of articles: what it takes, and what it found marked in each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.views import ChangeList

from articles.models import Article
from articles.search import finding
from articles.search.highlighting import LOOKED_AT, marked, snippet
from articles.search.query import parse
from usage.listing import EstimatedChangeList, LargeTableAdmin


@dataclass(frozen=True)
class Found:
    """Why an article is among the results: its title and a piece of its text, with what was searched for marked."""

    title: SafeString
    snippet: SafeString


def is_text(term: str) -> bool:
    """Whether words are searched for, and not one number or one address."""
    return bool(term) and not term.isdecimal() and "://" not in term


class ArticleChangeList(EstimatedChangeList):
    """Articles that were found know where: `found`, a Found."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not is_text(term := self.query.strip()):
            return
        query, shown = parse(term), list(self.result_list)
        texts = Article.objects.filter(pk__in=[article.pk for article in shown])
        columns = ("pk", "summary_text", "lead", Left("content", LOOKED_AT))
        by_number = {pk: parts for pk, *parts in texts.values_list(*columns)}
        for article in shown:
            parts = by_number.get(article.pk, [])
            article.found = Found(marked(article.title, query), snippet(parts, query))
        self.result_list = shown


class SearchedArticles(LargeTableAdmin):
    # Only switches the search on: what it looks at is told below.
    search_fields = ("canonical_link",)
    search_help_text = _("Words, “a phrase”, -without; a number, an address")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ArticleChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Article], search_term: str
    ) -> tuple[QuerySet[Article], bool]:
        """By number, by address, or by words among what the filters leave: nothing that reads the whole table."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if is_text(term):
            found = finding.found(queryset, term)
            # Titles come first unless the person has chosen an order.
            return found.order_by(*queryset.query.order_by) if ORDER_VAR in request.GET else found, False
        if term.isdecimal():
            return queryset.filter(pk=int(term[:18])), False
        return queryset.filter(canonical_link=term), False
