"""A feed's entries to rows: what is new, what has changed, and nothing at all for the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from articles.entries import Entry
from articles.feeds import Feed
from articles.models import Article, Source

# How often the feed is stored anew because another process stored one of its articles in the meantime.
TRIES = 5

# News under a changed address is looked for among what was published so long before it; how far back, at most.
MEMORY = timedelta(days=7)
LONGEST_MEMORY = timedelta(days=60)

# fmt: off
UPDATED_FIELDS = [
    "url", "title", "lead", "content", "content_hash", "published_at", "published_precision", "topic", "image_url",
    "original_url", "entry_hash", "status", "next_step_at", "attempts", "last_error", "updated_at",
    "compare_at",
]
# fmt: on
EXACTNESS = [Article.Precision.SEEN, Article.Precision.DAY, Article.Precision.MINUTE]


@dataclass(frozen=True, slots=True)
class Stored:
    """How many entries became articles, changed theirs, or said nothing new."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0


def store(source: Source, feed: Feed, now: datetime) -> Stored:
    """Bring the articles of a source up to its feed, in one transaction and a number of queries that does not depend on
    the feed. Two processes may store the same feed at once: each article comes into being once.

    An article belongs to the source that had it first, and what a person has edited stays as it is.
    """
    for _attempt in range(TRIES - 1):
        try:
            return _store(source, feed, now)
        except IntegrityError:
            # Somebody else has just made one of these articles: now it is seen and left alone.
            continue
    return _store(source, feed, now)


def _store(source: Source, feed: Feed, now: datetime) -> Stored:
    entries = {entry.canonical_link: entry for entry in feed.entries}
    with transaction.atomic():
        known = Article.objects.filter(canonical_link__in=entries).values_list(
            "canonical_link", "source_id", "entry_hash"
        )
        hashes = {link: entry_hash if owner == source.pk else None for link, owner, entry_hash in known}
        changed = [link for link, entry_hash in hashes.items() if entry_hash not in {None, entries[link].entry_hash}]
        updated = _update(source, feed, [entries[link] for link in changed], now) if changed else 0
        unknown = [entry for entry in feed.entries if entry.canonical_link not in hashes]
        new = _create(source, feed, _without_moved(source, unknown, now), now)
    return Stored(new, updated, len(entries) - new - updated)


def _without_moved(source: Source, entries: list[Entry], now: datetime) -> list[Entry]:
    """The entries without those that the source brought before under another address.

    Feeds that change their ids or addresses with each fetch would fill the queue with what is long there.
    """
    if source.last_success_at is None or not entries:
        return entries
    oldest = min((entry.published.at for entry in entries if entry.published), default=now)
    known = Article.objects.filter(
        source=source,
        published_at__gte=max(oldest, now - LONGEST_MEMORY) - MEMORY,
        title__in={entry.title for entry in entries},
    ).values_list("title", "lead", "published_at")
    said = {(title, lead or published_at) for title, lead, published_at in known}
    return [
        entry
        for entry in entries
        if (entry.title, entry.lead or (entry.published.at if entry.published else None)) not in said
    ]


def _create(source: Source, feed: Feed, entries: list[Entry], now: datetime) -> int:
    articles = []
    for place, entry in enumerate(entries):
        article = Article(
            source=source, canonical_link=entry.canonical_link, language=source.language or entry.language
        )
        # Of entries without a date the feed's first is the newest.
        _describe(article, feed, entry, now - timedelta(microseconds=place))
        article.content, article.content_hash = entry.text, fingerprint(entry.text)
        _plan(article, source, entry, now)
        articles.append(article)
    # In one order everywhere: two processes that make the same articles wait for each other then, and never deadlock.
    Article.objects.bulk_create(sorted(articles, key=lambda article: article.canonical_link))
    return len(articles)


def _update(source: Source, feed: Feed, entries: Iterable[Entry], now: datetime) -> int:
    by_link = {entry.canonical_link: entry for entry in entries}
    untouched = Article.objects.filter(canonical_link__in=by_link, edited_at__isnull=True)
    articles = list(untouched.select_for_update().order_by("pk"))
    for article in articles:
        _revise(article, source, feed, by_link[article.canonical_link], now)
    if articles:
        Article.objects.bulk_update(articles, UPDATED_FIELDS)
    return len(articles)


def _revise(article: Article, source: Source, feed: Feed, entry: Entry, now: datetime) -> None:
    """Bring one article up to its changed entry, and let its next step be taken anew if the text has changed."""
    was_in_feed, announced = bool(article.entry_hash), (article.title, article.lead)
    _describe(article, feed, entry, article.created_at)
    article.updated_at = now
    if not was_in_feed:
        # It came from an archive or an old database and was dealt with there: its text and its step are not ours.
        return
    from_page = source.fetch_full_text and bool(entry.page_url) and not entry.is_complete
    if from_page and (article.title, article.lead) == announced:
        return
    if from_page:
        if article.status in {Article.Status.NEW, Article.Status.FAILED}:
            # Nothing has come from the page yet: what the feed brings stands in for it.
            article.content, article.content_hash = entry.text, fingerprint(entry.text)
    else:
        content_hash = fingerprint(entry.text)
        if content_hash == article.content_hash and article.status != Article.Status.NEW:
            return
        article.content, article.content_hash = entry.text, content_hash
    _plan(article, source, entry, now)


def _describe(article: Article, feed: Feed, entry: Entry, seen_at: datetime) -> None:
    """What the entry says of the article, all but its text. A known time is never replaced by a vaguer or later one."""
    article.url = entry.page_url or feed.site_url
    article.title = entry.title
    article.lead = entry.lead
    article.topic = entry.topic
    article.image_url = entry.image_url
    article.original_url = entry.original_url
    precision = Article.Precision(entry.published.precision) if entry.published else Article.Precision.SEEN
    published_at = entry.published.at if entry.published else seen_at
    if article.pk is None or _is_better(article, published_at, precision):
        article.published_at, article.published_precision = published_at, precision
    article.entry_hash = entry.entry_hash


def _is_better(article: Article, published_at: datetime, precision: Article.Precision) -> bool:
    """Whether a time is more exact than the article's, or as exact and earlier: news that claims to be new isn't."""
    known, stated = EXACTNESS.index(Article.Precision(article.published_precision)), EXACTNESS.index(precision)
    return stated > known or (stated == known and published_at < article.published_at)


def _plan(article: Article, source: Source, entry: Entry, now: datetime) -> None:
    """The next step: the page, if the feed brings only a part of the text; else the summary, if one is wanted."""
    article.attempts, article.last_error = 0, ""
    if source.fetch_full_text and entry.page_url and not entry.is_complete:
        article.status, article.next_step_at = Article.Status.NEW, now
    else:
        article.status, article.next_step_at = after_text(source, entry.text, now)
        article.compare_at = now


def after_text(source: Source, content: str, now: datetime) -> tuple[Article.Status, datetime | None]:
    """Status and next step of an article whose text is as complete as it will get."""
    if content and source.auto_summarise:
        return Article.Status.READY, now
    return Article.Status.STORED, None


def fingerprint(content: str) -> str:
    """SHA-256 of a text; empty for none, so that articles without a text are not each other's duplicates."""
    return hashlib.sha256(content.encode()).hexdigest() if content else ""
