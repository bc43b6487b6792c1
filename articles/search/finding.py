"""From what a person typed to the articles that have it."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import QuerySet

Rows = TypeVar("Rows", bound=QuerySet[Any])


def found(articles: Rows, text: str) -> Rows:
    """Those of the articles whose title has the text."""
    return articles.filter(title__icontains=text.strip()).order_by("-published_at", "-pk")
