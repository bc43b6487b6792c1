"""What a clock wrote that was wrong, and has been set back since.

A row that was touched in the future proves it. What such a row waits for would come late by as much as the clock was
wrong, so it is due now.
"""

from __future__ import annotations

from django.db.models import F
from django.db.models.functions import Least
from django.utils import timezone

from articles.models import Article, Source
from usage.clocks import TOLERANCE


def mend() -> int:
    """Make due what waits for a wrong time; how many rows. A few queries that find nothing where all is well."""
    now = timezone.now()
    ahead = now + TOLERANCE
    sources = Source.objects.filter(last_fetched_at__gt=ahead).update(
        next_fetch_at=now, last_fetched_at=now, last_success_at=Least(F("last_success_at"), now)
    )
    waiting = Article.objects.filter(next_step_at__gt=ahead, updated_at__gt=ahead)
    return sources + waiting.update(next_step_at=now, updated_at=now)
