"""The doorbells of articles: ids in, nothing out. What they ring for is written in the rows."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime

from celery import Task, shared_task

from articles import (
    backfilling,
    clocks,
    completion,
    dead_letters,
    duplicates,
    indexing,
    ingest,
    leases,
    media,
    summarise,
    trials,
)
from articles.forecasts import planning, writing
from articles.models import (
    Article,
    BackfillRun,
    ChangedText,
    DeadLetter,
    ForecastNote,
    Picture,
    ServerTurn,
    Source,
    Summary,
)
from usage import clocks as usage_clocks

# How many sources and articles are rung for at once: a bound of the queue, the rest is found by the next sweep.
SOURCES_AT_ONCE = 50
ARTICLES_AT_ONCE = 200
TRIALS_AT_ONCE = 20
# Archives are read beside the news of the day, not instead of it.
RUNS_AT_ONCE = 2
NOTES_AT_ONCE = 50
PICTURES_AT_ONCE = 50
TEXTS_AT_ONCE = 2_000

# How long a doorbell is trusted before it is rung again for a row that still waits, in seconds.
PATIENCE = 60.0

# When this process last rang for a row's step; the due time is part of the key, so each new step is rung for at once.
_rung: dict[tuple[str, int, datetime], float] = {}


@shared_task(ignore_result=True)
@leases.mine.given_back()
def fetch_source(source_id: int) -> None:
    """Fetch one source if its time has come."""
    ingest.fetch_source(source_id)


@shared_task(ignore_result=True)
@leases.mine.given_back()
def complete_article(article_id: int) -> None:
    """Read the full text of one article from its page, if its time has come; then ring for the summary."""
    if completion.complete_article(article_id):
        summarise_article.delay(article_id)


@shared_task(ignore_result=True)
def compare_article(article_id: int) -> None:
    """Compare one article with all others, if that is due."""
    duplicates.place_due(article_id)


@shared_task(ignore_result=True)
@leases.mine.given_back()
def summarise_article(article_id: int) -> None:
    """Write the summary of one article, if its time has come."""
    summarise.summarise_article(article_id)


@shared_task(ignore_result=True)
def write_trial(summary_id: int) -> None:
    """Write one trial of a prompt or a provider, if its time has come."""
    trials.write_trial(summary_id)


@shared_task(ignore_result=True)
@leases.mine.given_back()
def write_note(note_id: int) -> None:
    """Write one forecast note, if its time has come."""
    writing.write_note(note_id)


@shared_task(ignore_result=True)
@leases.mine.given_back()
def fetch_picture(picture_id: int) -> None:
    """Fetch the picture of one article, if its time has come."""
    media.fetch_picture(picture_id)


@shared_task(ignore_result=True)
@leases.mine.given_back()
def continue_backfill(run_id: int) -> None:
    """Take the next steps of a run through an archive, if one is due; then ring for those behind them."""
    if backfilling.work(run_id):
        continue_backfill.delay(run_id)


@shared_task(ignore_result=True)
def follow_texts() -> None:
    """Index and tag a bounded number of texts that have changed."""
    indexing.catch_up(most=TEXTS_AT_ONCE)


@shared_task(ignore_result=True)
def retry_dead_letters() -> None:
    """Try again what failed for good and is due for that."""
    dead_letters.retry_due()


@shared_task(ignore_result=True)
def forget_servers() -> None:
    """Forget the turns of servers that nobody asks any more."""
    ServerTurn.objects.all().forget()


def ring_due() -> None:
    """Ring for the sources and articles that are due, the longest waiting first, a bounded number of them.

    A row is rung for once a minute at most while nobody takes it. Two processes may both ring: whoever comes second
    finds the row claimed, which costs one query.
    """
    _forget_old_rings()
    usage_clocks.mend()
    clocks.mend()
    leases.release()
    planning.plan_due()
    articles, step = Article.objects.due(), ("pk", "next_step_at")
    _ring(fetch_source, Source.objects.due().values_list("pk", "next_fetch_at")[:SOURCES_AT_ONCE])
    _ring(complete_article, articles.filter(status=Article.Status.NEW).values_list(*step)[:ARTICLES_AT_ONCE])
    _ring(summarise_article, articles.filter(status=Article.Status.READY).values_list(*step)[:ARTICLES_AT_ONCE])
    _ring(compare_article, Article.objects.to_compare().values_list("pk", "compare_at")[:ARTICLES_AT_ONCE])
    _ring(continue_backfill, BackfillRun.objects.due().values_list(*step)[:RUNS_AT_ONCE])
    _ring(write_trial, Summary.objects.due().values_list(*step)[:TRIALS_AT_ONCE])
    _ring(write_note, ForecastNote.objects.due().values_list(*step)[:NOTES_AT_ONCE])
    _ring(fetch_picture, Picture.objects.due().values_list(*step)[:PICTURES_AT_ONCE])
    if ChangedText.objects.exists():
        follow_texts.delay()
    if DeadLetter.objects.due().exists():
        retry_dead_letters.delay()


def _ring(task: Task[[int], None], rows: Iterable[tuple[int, datetime | None]]) -> None:
    """Ring for the rows, each with the time at which it became due."""
    for pk, due_at in rows:
        if due_at and _is_first_ring(task.name, pk, due_at):
            task.delay(pk)


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
