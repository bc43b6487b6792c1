"""How many copies there are: the figures of `manage.py duplicates report`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count

from articles.duplicates.rebuilding import unplaced
from articles.models import Article, Story, StoryDecision


@dataclass(frozen=True, slots=True)
class Figures:
    """Articles in all, those not compared yet, stories, copies in them, and articles an editor has spoken of."""

    articles: int
    unplaced: int
    stories: int
    copies: int
    decided: int


def figures() -> Figures:
    return Figures(
        Article.objects.count(),
        unplaced().count(),
        Story.objects.count(),
        Article.objects.filter(duplicate_of__isnull=False).count(),
        StoryDecision.objects.values("article").distinct().count(),
    )


def largest(limit: int) -> list[tuple[int, int, str]]:
    """The stories with the most articles: number, articles, title of the main one."""
    stories = Story.objects.annotate(count=Count("articles")).order_by("-count", "pk")[:limit]
    titles = dict(
        Article.objects.filter(story__in=[story.pk for story in stories], duplicate_of=None).values_list(
            "story", "title"
        )
    )
    return [(story.pk, story.count, titles.get(story.pk, "")) for story in stories]


def sources(limit: int) -> list[tuple[str, str, int]]:
    """Which source has copies of which other's articles most often: the copying one, the other, how often."""
    pairs = Article.objects.filter(duplicate_of__isnull=False).order_by().values("source", "duplicate_of__source")
    counted: Counter[tuple[str, str]] = Counter()
    for copying, source, count in pairs.annotate(count=Count("pk")).values_list(
        "source__slug", "duplicate_of__source__slug", "count"
    ):
        counted[copying, source] += count
    return [(copying, source, count) for (copying, source), count in counted.most_common(limit)]
