"""The project's own doorbells."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from articles.tasks import ring_due as ring_articles
from publishing.tasks import ring_due as ring_publications
from warandpeace import broker
from warandpeace.backups import ringing
from warandpeace.models import Heartbeat
from warandpeace.signing_in import pruning

# A doorbell that nobody heard for so many seconds has been rung again many times.
STALE = 600


@shared_task(ignore_result=True)
def sweep() -> None:
    """Ring for whatever is due. Beat calls it every few seconds, so a lost doorbell costs no more than that."""
    ring_articles()
    ring_publications()
    if settings.CELERY_BROKER_URL == "filesystem://":
        broker.prune(settings.BROKER_DIR, older_than=STALE)
    Heartbeat.beat("sweeper")


@shared_task(ignore_result=True)
def prune_sign_ins() -> None:
    """Forget sessions that have expired, and old attempts to sign in."""
    pruning.prune()


@shared_task(ignore_result=True)
def back_up() -> None:
    """Begin a backup if one is due, in a process of its own: it may take longer than a worker's watchdog allows."""
    ringing.begin_if_due()
