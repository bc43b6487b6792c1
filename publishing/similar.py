"""What a channel has posted, or is about to post, that reads like a publication: not a copy, but the same news."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from articles.duplicates.shingles import jaccard
from articles.search.words import stems
from publishing.models import Publication

State = Publication.State
# Only what readers may still remember is compared, and of that the newest.
REMEMBERED = timedelta(days=30)
MOST_COMPARED = 300
MOST_SHOWN = 5
# A title has about ten words; fewer than a third in common is another matter.
LEAST_ALIKE = 0.3
MOST_WORDS = 30
OTHERS = (*Publication.OUT, *Publication.IN_LINE, State.PENDING, State.HELD)


@dataclass(frozen=True)
class Similar:
    """Another publication of the channel, and how much of the titles' words they share, in per cent."""

    publication: Publication
    percent: int


def similar(publication: Publication) -> list[Similar]:
    """The publications of the channel whose titles are alike, or that tell the same story; the closest first.

    One query for a bounded number of rows, without their texts.
    """
    own = set(stems(publication.title, MOST_WORDS))
    story = publication.article.story_id if publication.article else None
    others = (
        Publication.objects.filter(
            channel=publication.channel_id, state__in=OTHERS, created_at__gte=timezone.now() - REMEMBERED
        )
        .exclude(pk=publication.pk)
        .select_related("article")
        .only("title", "state", "published_at", "created_at", "article__story_id")
        .order_by("-created_at")[:MOST_COMPARED]
    )
    found = []
    for other in others:
        is_same = story is not None and other.article is not None and other.article.story_id == story
        alike = 1.0 if is_same else jaccard(own, set(stems(other.title, MOST_WORDS)))
        if alike >= LEAST_ALIKE:
            found.append(Similar(other, round(100 * alike)))
    return sorted(found, key=lambda one: -one.percent)[:MOST_SHOWN]
