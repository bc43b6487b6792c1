"""Keeping the index and the tags up to the texts.

Whoever changes a text, with whatever program, the database's triggers note it as a `ChangedText`. Here the notes are
followed: outside of any transaction the text is read and taken apart, then one short transaction takes the notes off
and writes what follows from them. A kill in between leaves the notes, and the work is done again; a bulk load costs one
note an article and is followed afterwards.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Max, Min

from articles import tagging
from articles.models import Article, ChangedText
from articles.search.documents import Document, document
from articles.search.finding import index_of
from articles.search.index import TABLE

AT_ONCE = 200  # articles of one transaction
QUEUED_AT_ONCE = 20_000

# One thread of a process at a time: a second one would take the same notes and do their work in vain.
_following = threading.Lock()


def catch_up(
    *, most: int | None = None, progress: Callable[[int], None] | None = None, should_stop: Callable[[], bool] = bool
) -> int:
    """Follow the changes that are noted, the oldest first and at most about so many; how many were followed.

    `progress` is called after each transaction with the number of its notes. Does nothing while another thread of this
    process is at it; several processes may try at once, and each change is followed by one of them.
    """
    done = 0
    if not _following.acquire(blocking=False):
        return done
    try:
        while (most is None or done < most) and not should_stop() and (followed := _follow_some()):
            done += followed
            if progress:
                progress(followed)
    finally:
        _following.release()
    return done


def waiting() -> int:
    """How many changes are noted and not followed yet."""
    return ChangedText.objects.count()


def rebuild(*, progress: Callable[[int], None] | None = None, should_stop: Callable[[], bool] = bool) -> int:
    """Make the whole index anew, and give all tags anew, while it goes on being used; how many texts were read.

    Every article is noted as changed first, the newest last noted and so on to the oldest; a run that was stopped is
    gone on with by `catch_up`, here or in the worker.
    """
    note_all()
    return catch_up(progress=progress, should_stop=should_stop)


def note_all() -> None:
    """Note every article as changed, those of the newest numbers first: they are what is searched for most."""
    bounds = Article.objects.aggregate(first=Min("pk"), last=Max("pk"))
    if bounds["last"] is None:
        return
    for end in range(bounds["last"], bounds["first"] - 1, -QUEUED_AT_ONCE):
        numbers = Article.objects.filter(pk__gt=end - QUEUED_AT_ONCE, pk__lte=end).order_by("-pk")
        ChangedText.objects.bulk_create(
            [ChangedText(article_id=pk) for pk in numbers.values_list("pk", flat=True)], batch_size=5_000
        )


def _follow_some() -> int:
    """One transaction's worth of changes; how many there were. Nothing is left to do where there were none."""
    notes = list(ChangedText.objects.order_by("pk").values_list("pk", "article_id")[:AT_ONCE])
    if not notes:
        return 0
    newest = {article_id: pk for pk, article_id in notes}
    articles = list(Article.objects.filter(pk__in=newest).order_by("pk"))
    documents = [document_of(article) for article in articles]
    wanted = tagging.wanted(articles, documents)
    index = index_of(connections[DEFAULT_DB_ALIAS])
    with transaction.atomic():
        mine = _taken([pk for pk, _article_id in notes])
        ours = {article_id for article_id, pk in newest.items() if pk in mine}
        index.write([each for each in documents if each.article_id in ours])
        index.remove(ours - {article.pk for article in articles})
        tagging.settle({article_id: tags for article_id, tags in wanted.items() if article_id in ours})
    return len(notes)


def _taken(notes: Sequence[int]) -> set[int]:
    """Take notes off. What another process has taken off meanwhile it has followed, with a text at least as new."""
    mine = set(ChangedText.objects.select_for_update().filter(pk__in=notes).order_by("pk").values_list("pk", flat=True))
    ChangedText.objects.filter(pk__in=mine).delete()
    return mine


def document_of(article: Article) -> Document:
    """An article as the index holds it."""
    return document(
        article.pk,
        article.published_at,
        article.source_id,
        article.title,
        article.lead,
        article.summary_text,
        article.content,
    )


def keep_watching(*, using: str, **signal: Any) -> None:
    """Make sure that changes are noted; a receiver of `post_migrate`.

    On SQLite a migration that changes the articles' table makes it anew, and its triggers are gone with the old one.
    """
    connection = connections[using]
    if TABLE in connection.introspection.table_names():
        index_of(connection).watch()
