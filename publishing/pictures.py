"""How long pictures are kept: they are most of what the database weighs, and of no use once their posts are old."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from articles.models import Media, Picture
from publishing.models import Publication

KEPT = timedelta(days=90)
AT_ONCE = 500


def prune() -> int:
    """Forget pictures that were asked for long ago and that nothing unfinished needs; how many files were deleted.

    An article that is queued once more fetches its picture anew.
    """
    oldest = timezone.now() - KEPT
    needed = Publication.objects.filter(article=OuterRef("article"), state__in=Publication.UNFINISHED)
    old = Picture.objects.filter(created_at__lt=oldest, next_step_at=None).exclude(Exists(needed))
    while some := list(old.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        Picture.objects.filter(pk__in=some).delete()
    deleted = 0
    unused = Media.objects.filter(fetched_at__lt=oldest, pictures=None).order_by("pk")
    while files := list(unused.values_list("pk", flat=True)[:AT_ONCE]):
        deleted += Media.objects.filter(pk__in=files).delete()[0]
    return deleted
