"""The ledger's own upkeep, rung once a day."""

from __future__ import annotations

from celery import shared_task

from usage import recounting

# Days whose calls are kept; the totals of days are kept for good.
KEEP_DAYS = 30


@shared_task(ignore_result=True)
def prune_calls() -> None:
    """Forget the calls of days long gone."""
    recounting.prune(KEEP_DAYS)
