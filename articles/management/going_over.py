"""What `manage.py ingest` does to all articles at once, with a progress bar and until it is asked to stop."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import click

from articles import indexing
from articles.models import Article
from articles.tagging import retagging
from usage.stopping import stopped_by_signals


@dataclass(frozen=True)
class Done:
    """The line to end with, and whether nothing is left."""

    summary: str
    is_whole: bool


def retagged(*, dry_run: bool) -> Done:
    """Apply the tag rules to all articles. Raises AlreadyRunning."""
    with (
        stopped_by_signals() as stopped,
        click.progressbar(length=Article.objects.count(), label="Retagging", file=sys.stderr) as bar,
    ):
        run = retagging.retag(dry_run=dry_run, progress=bar.update, should_stop=stopped.is_set)
    summary = f"examined={run.examined} added={run.added} removed={run.removed}"
    return Done(f"{summary} dry_run" if dry_run else summary, run.finished_at is not None)


def reindexed(*, everything: bool) -> Done:
    """Index all texts anew, or those that have changed and wait for it."""
    with stopped_by_signals() as stopped:
        if everything:
            indexing.note_all()
        with click.progressbar(length=indexing.waiting(), label="Indexing", file=sys.stderr) as bar:
            done = indexing.catch_up(progress=bar.update, should_stop=stopped.is_set)
    waiting = indexing.waiting()
    return Done(f"indexed={done} waiting={waiting}", not (stopped.is_set() and waiting))
