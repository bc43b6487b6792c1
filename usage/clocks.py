"""What a clock wrote that was wrong, and has been set back since.

A key that failed in the future proves it, and so does a provider that lost patience and rests longer than any does.
What such a row waits for would come late by as much as the clock was wrong, so it is over now.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from usage.health import LONGEST_REST, PATIENCE
from usage.models import ApiKey, Provider

# The clocks of two machines may differ so much, and nobody minds.
TOLERANCE = timedelta(seconds=10)


def mend() -> int:
    """Let those rests be over; returns how many rows that were. A few queries that find nothing where all is well."""
    now = timezone.now()
    ahead = now + TOLERANCE
    wrong = ApiKey.objects.filter(last_failure_at__gt=ahead)
    too_long = Q(consecutive_failures__gte=PATIENCE, skipped_until__gt=ahead + LONGEST_REST)
    resting = Provider.objects.filter(Q(pk__in=wrong.values("provider")) | too_long, skipped_until__gt=now)
    return resting.update(skipped_until=now) + wrong.update(cooling_down_until=None, last_failure_at=now)
