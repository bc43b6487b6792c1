"""The steps of a backfill, one after another: by a worker for a while, by a command until the end."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from articles import archived, completion, http
from articles.backfill import (
    LEASE,
    MOST_ATTEMPTS,
    Failure,
    Lost,
    Step,
    forget_dead_pages,
    is_passing,
    read_page,
    record_dead_page,
)
from articles.models import Article, BackfillRun, Source
from articles.sites.pages import Found
from articles.sites.reading import NotDescribed

# A worker takes steps of one run for so long, in seconds, before it looks for other work.
TURN = 20.0
TEXTS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of an article's page, which was asked for so many times before."""

    article: Article
    attempts: int
    result: Found | Failure


def work(run_id: int) -> bool:
    """Take steps of a run for a while, if one is due; True if there is more to do at once."""
    run = BackfillRun.objects.due().select_related("source").filter(pk=run_id).first()
    until = time.monotonic() + TURN
    while run is not None and run.claim(LEASE):
        try:
            pause = take_step(run)
        except Lost:
            return False
        if pause != timedelta(0):
            return False
        if time.monotonic() > until:
            return True
    return False


def take_step(run: BackfillRun, *, holds: bool = False) -> timedelta | None:
    """Take one step of a claimed run, which is brought up to date; how long to wait for the next, None after the last.

    With `holds` the run stays claimed, for somebody who takes one step after another. Raises Lost.
    """
    step = Step.of(run, holds=holds)
    try:
        if step.place.texts:
            _read_texts(step)
        else:
            read_page(step)
    except NotDescribed as error:
        step.give_up(str(error))
        step.write()
    finally:
        http.record_requests(at_least=20)
    return step.pause if run.state == BackfillRun.State.RUNNING else None


def rehearse(run: BackfillRun) -> timedelta | None:
    """Take a step of a run that has no row: read a page and count what it would bring. Raises NotDescribed."""
    step = Step.of(run, is_dry=True)
    # What a run has still to fetch when it is resumed is no page of its lists.
    step.place.texts.clear()
    run.state = BackfillRun.State.RUNNING
    read_page(step)
    return step.pause if run.state == BackfillRun.State.RUNNING else None


def _read_texts(step: Step) -> None:
    """Fetch the texts of the articles that wait for theirs first, and write the step. Raises Lost."""
    place, source = step.place, step.run.source
    batch = place.texts[:TEXTS_AT_ONCE]
    rows = Article.objects.filter(pk__in=[pk for pk, _attempts in batch], content="", edited_at=None).in_bulk()
    waiting = [(rows[pk], attempts) for pk, attempts in batch if pk in rows]
    with ThreadPoolExecutor(max(1, source.connections), thread_name_prefix="texts") as pool:
        results = pool.map(lambda each: _fetch(source, each[0]), waiting)
        fetched = [
            Fetched(article, attempts, result) for (article, attempts), result in zip(waiting, results, strict=True)
        ]
    with transaction.atomic():
        again = [each for each in fetched if not _settle(step, each)]
        forget_dead_pages([each.article.url for each in fetched if isinstance(each.result, Found)])
        # What has to wait stands last, so that the others come first.
        place.texts = place.texts[len(batch) :] + [[each.article.pk, _attempts_of(each)] for each in again]
        _wait_if_nothing_came(step, fetched, again)
        step.write()


def _fetch(source: Source, article: Article) -> Found | Failure:
    """Read one article's page. Runs in a thread: no database here."""
    try:
        return completion.read_page(source, article.url)
    except completion.UNREADABLE as error:
        return error


def _settle(step: Step, fetched: Fetched) -> bool:
    """Store a text, or give it up for good; False if it is to be tried again."""
    article, result = fetched.article, fetched.result
    completion.watch(step.run.source, result)
    if isinstance(result, Found):
        step.gain.text_count += archived.add_text(article, result, timezone.now())
        return True
    if is_passing(result) and _attempts_of(fetched) < MOST_ATTEMPTS:
        return False
    Article.objects.filter(pk=article.pk).update(last_error=str(result))
    record_dead_page(article.url, result, fetched.attempts + 1)
    step.gain.failed_count += 1
    return True


def _attempts_of(fetched: Fetched) -> int:
    """How often an article's page was asked for in vain; that its server could not be reached is not its fault."""
    is_servers = isinstance(fetched.result, http.Unreachable | http.HostRests)
    return fetched.attempts if is_servers else fetched.attempts + 1


def _wait_if_nothing_came(step: Step, fetched: list[Fetched], again: list[Fetched]) -> None:
    """Where all of a batch is to be tried again the server is in trouble; else the run goes on at once."""
    failures = [each.result for each in again if not isinstance(each.result, Found)]
    if fetched and len(failures) == len(fetched):
        step.wait_for_server(max(failures, key=lambda error: error.retry_after or timedelta(0)))
        return
    step.attempts, step.error = 0, ""
