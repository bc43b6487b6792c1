"""The doorbells of articles: ids in, nothing out. What they ring for is written in the rows."""

from __future__ import annotations

import time
from datetime import datetime

from celery import shared_task

from articles import completion, forecast, ingest, summarise, trials
from articles.models import Article, ForecastNote, Source, Summary

# How many sources and articles are rung for at once: a bound of the queue, the rest is found by the next sweep.
SOURCES_AT_ONCE = 50
ARTICLES_AT_ONCE = 200
TRIALS_AT_ONCE = 20
NOTES_AT_ONCE = 50

# How long a doorbell is trusted before it is rung again for a row that still waits, in seconds.
PATIENCE = 60.0

# When this process last rang for a row's step; the due time is part of the key, so each new step is rung for at once.
_rung: dict[tuple[str, int, datetime], float] = {}


@shared_task(ignore_result=True)
def fetch_source(source_id: int) -> None:
    """Fetch one source if its time has come."""
    ingest.fetch_source(source_id)


@shared_task(ignore_result=True)
def complete_article(article_id: int) -> None:
    """Read the full text of one article from its page, if its time has come; then ring for the summary."""
    if completion.complete_article(article_id):
        summarise_article.delay(article_id)


@shared_task(ignore_result=True)
def summarise_article(article_id: int) -> None:
    """Write the summary of one article, if its time has come."""
    summarise.summarise_article(article_id)


@shared_task(ignore_result=True)
def write_trial(summary_id: int) -> None:
    """Write one trial of a prompt or a provider, if its time has come."""
    trials.write_trial(summary_id)


@shared_task(ignore_result=True)
def write_note(note_id: int) -> None:
    """Write one forecast note, if its time has come."""
    forecast.write_note(note_id)


def ring_due() -> None:
    """Ring for the sources and articles that are due, the longest waiting first, a bounded number of them.

    A row is rung for once a minute at most while nobody takes it. Two processes may both ring: whoever comes second
    finds the row claimed, which costs one query.
    """
    _forget_old_rings()
    for pk, due_at in Source.objects.due().values_list("pk", "next_fetch_at")[:SOURCES_AT_ONCE]:
        if _is_first_ring("source", pk, due_at):
            fetch_source.delay(pk)
    waiting = Article.objects.due().filter(status__in=[Article.Status.NEW, Article.Status.READY])
    for pk, status, step_at in waiting.values_list("pk", "status", "next_step_at")[:ARTICLES_AT_ONCE]:
        if step_at and _is_first_ring(status, pk, step_at):
            (complete_article if status == Article.Status.NEW else summarise_article).delay(pk)
    for pk, step_at in Summary.objects.due().values_list("pk", "next_step_at")[:TRIALS_AT_ONCE]:
        if step_at and _is_first_ring("trial", pk, step_at):
            write_trial.delay(pk)
    forecast.plan_due()
    for pk, step_at in ForecastNote.objects.due().values_list("pk", "next_step_at")[:NOTES_AT_ONCE]:
        if step_at and _is_first_ring("note", pk, step_at):
            write_note.delay(pk)


def _is_first_ring(step: str, pk: int, due_at: datetime) -> bool:
    key = (step, pk, due_at)
    if key in _rung:
        return False
    _rung[key] = time.monotonic()
    return True


def _forget_old_rings() -> None:
    expired = time.monotonic() - PATIENCE
    for key in [key for key, rung_at in _rung.items() if rung_at < expired]:
        _rung.pop(key, None)
