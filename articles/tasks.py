"""The doorbells of articles: ids in, nothing out."""

from __future__ import annotations

from celery import shared_task


@shared_task(ignore_result=True)
def fetch_source(source_id: int) -> None:
    """Fetch one source if its time has come."""
    raise NotImplementedError


@shared_task(ignore_result=True)
def complete_article(article_id: int) -> None:
    """Read the full text of one article from its page."""
    raise NotImplementedError


@shared_task(ignore_result=True)
def summarise_article(article_id: int) -> None:
    """Write the summary of one article."""
    raise NotImplementedError


def ring_due() -> None:
    """Ring for the sources and articles that are due."""
    raise NotImplementedError
