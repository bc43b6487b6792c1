"""The rules over all articles, in batches: after rules have changed. It may be killed at any time and goes on there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from articles.indexing import document_of
from articles.models import Article, Retagging, TagRule
from articles.tagging.giving import Change, rules_in_use, settle, wanted
from articles.tagging.rules import Rule

AT_ONCE = 500  # articles of one transaction


class AlreadyRunning(Exception):
    """Another process is retagging at this moment."""


def retag(
    *, dry_run: bool = False, progress: Callable[[int], None] | None = None, should_stop: Callable[[], bool] = bool
) -> Retagging:
    """Give and take tags as the rules in use say, article by article; the run with its counts.

    A run that was stopped is gone on with if the rules are still the same. With `dry_run` everything is counted and
    nothing changed. `progress` is called with the number of articles after each batch, first with those that were done
    before. Raises AlreadyRunning.
    """
    run, rules = _begun(dry_run), rules_in_use()
    if progress:
        progress(run.examined)
    while not should_stop():
        articles = list(Article.objects.filter(pk__gt=run.checkpoint).order_by("pk")[:AT_ONCE])
        if not articles:
            run.finished_at = timezone.now()
            if not dry_run:
                Retagging.objects.filter(pk=run.pk).update(finished_at=run.finished_at)
            break
        _take(run, articles, rules, dry_run=dry_run)
        if progress:
            progress(len(articles))
    return run


def _begun(dry_run: bool) -> Retagging:
    digest = _rules_hash()
    if dry_run:
        return Retagging(rules_hash=digest)
    unfinished = Retagging.objects.filter(rules_hash=digest, finished_at=None).first()
    return unfinished or Retagging.objects.create(rules_hash=digest)


def _rules_hash() -> str:
    said = TagRule.objects.filter(is_active=True).order_by("pk")
    rows = list(said.values_list("pk", "tag_id", "kind", "pattern", "in_title_only", "source_id"))
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _take(run: Retagging, articles: list[Article], rules: list[Rule], *, dry_run: bool) -> None:
    """One batch in one transaction, together with how far the run has come."""
    documents = [document_of(article) for article in articles]
    seen, last = run.checkpoint, articles[-1].pk
    if dry_run:
        with transaction.atomic():
            change = settle(wanted(articles, documents, rules))
            transaction.set_rollback(True)
    else:
        given = wanted(articles, documents, rules)
        with transaction.atomic():
            change = settle(given)
            _advance(run, seen, last, len(articles), change)
    run.checkpoint = last
    run.examined += len(articles)
    run.added += change.added
    run.removed += change.removed


def _advance(run: Retagging, seen: int, last: int, examined: int, change: Change) -> None:
    """Raises AlreadyRunning if somebody else has moved the run on; then the batch is taken back."""
    moved = Retagging.objects.filter(pk=run.pk, checkpoint=seen).update(
        checkpoint=last,
        examined=F("examined") + examined,
        added=F("added") + change.added,
        removed=F("removed") + change.removed,
    )
    if not moved:
        raise AlreadyRunning
