"""What editors do with the tags of one article: their word is remembered against rules and topics."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from articles.models import Article, ArticleTag, RefusedTag, Tag
from articles.tagging.giving import Change


@transaction.atomic
def correct(article: Article, tags: Iterable[Tag], *, by_id: int | None) -> Change:
    """Let the article have exactly these tags. What was there stays as it was given; the rest is the editor's.

    `by_id` is the person's number.
    """
    wanted = {tag.pk for tag in tags}
    present = set(ArticleTag.objects.filter(article=article).values_list("tag_id", flat=True))
    given, taken = wanted - present, present - wanted
    ArticleTag.objects.filter(article=article, tag_id__in=taken).delete()
    RefusedTag.objects.filter(article=article, tag_id__in=given).delete()
    editor = ArticleTag.Origin.EDITOR
    ArticleTag.objects.bulk_create(
        [ArticleTag(article=article, tag_id=pk, origin=editor) for pk in sorted(given)],
        update_conflicts=True,
        unique_fields=["article", "tag"],
        update_fields=["origin"],
    )
    RefusedTag.objects.bulk_create(
        [RefusedTag(article=article, tag_id=pk, refused_by_id=by_id) for pk in sorted(taken)],
        ignore_conflicts=True,
    )
    return Change(added=len(given), removed=len(taken))
