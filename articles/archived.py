"""What an archive lists, to rows: what is new is only stored, and what is known can only gain.

Nothing from an archive is summarised or offered to channels by itself: it is old news, and there is much of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from articles.dates import Moment
from articles.entries import Entry
from articles.models import Article, Source
from articles.sites.pages import Found
from articles.storing import EXACTNESS, TRIES, fingerprint

GAINED = ["lead", "topic", "image_url", "original_url"]


@dataclass(frozen=True, slots=True)
class Archived:
    """How many entries became articles, added to theirs, or said nothing new; and the articles that lack their text."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0
    without_text: tuple[int, ...] = ()


def missing(entries: Sequence[Entry]) -> set[str]:
    """The canonical links of the entries that are no articles yet."""
    links = {entry.canonical_link for entry in entries}
    return links - set(Article.objects.filter(canonical_link__in=links).values_list("canonical_link", flat=True))


def store(source: Source, entries: Sequence[Entry], now: datetime) -> Archived:
    """Bring what an archive lists into the database, in one transaction.

    An article that is known keeps its title and text; it gains what it lacks, and a more exact time. What a person has
    edited, and what belongs to another source, stays as it is.
    """
    for _attempt in range(TRIES - 1):
        try:
            return _store(source, entries, now)
        except IntegrityError:
            # Somebody else has just made one of these articles: now it is seen.
            continue
    return _store(source, entries, now)


def _store(source: Source, entries: Sequence[Entry], now: datetime) -> Archived:
    by_link = {entry.canonical_link: entry for entry in entries}
    with transaction.atomic():
        known = {article.canonical_link: article for article in _known(list(by_link))}
        unknown = [entry for link, entry in sorted(by_link.items()) if link not in known]
        made = Article.objects.bulk_create([_article(source, entry, now) for entry in unknown])
        ours = [article for article in known.values() if article.source_id == source.pk and article.edited_at is None]
        gaining = [article for article in ours if _gain(article, by_link[article.canonical_link], now)]
        if gaining:
            Article.objects.bulk_update(
                gaining, [*GAINED, "published_at", "published_precision", "updated_at"], batch_size=200
            )
    bare = [article.pk for article in [*made, *ours] if not article.content and article.status == Article.Status.STORED]
    return Archived(len(made), len(gaining), len(known) - len(gaining), tuple(bare))


def _known(links: list[str]) -> list[Article]:
    return list(Article.objects.filter(canonical_link__in=links).select_for_update().order_by("pk"))


def _article(source: Source, entry: Entry, now: datetime) -> Article:
    return Article(
        source=source,
        canonical_link=entry.canonical_link,
        url=entry.page_url,
        title=entry.title,
        lead=entry.lead,
        topic=entry.topic,
        image_url=entry.image_url,
        original_url=entry.original_url,
        language=source.language or entry.language,
        published_at=entry.published.at if entry.published else now,
        published_precision=entry.published.precision if entry.published else Article.Precision.SEEN,
        status=Article.Status.STORED,
    )


def _gain(article: Article, entry: Entry, now: datetime) -> bool:
    """Add what the article lacks; whether anything was added."""
    added = [name for name in GAINED if not getattr(article, name) and getattr(entry, name)]
    for name in added:
        setattr(article, name, getattr(entry, name))
    is_better = bool(entry.published) and is_more_exact(article, entry.published)
    if is_better and entry.published:
        article.published_at = entry.published.at
        article.published_precision = Article.Precision(entry.published.precision)
    article.updated_at = now
    return bool(added) or is_better


def is_more_exact(article: Article, published: Moment | None) -> bool:
    """Whether a time is more exact than the one that is known. An equally exact one changes nothing."""
    known = EXACTNESS.index(Article.Precision(article.published_precision))
    return published is not None and EXACTNESS.index(Article.Precision(published.precision)) > known


def add_text(article: Article, found: Found, now: datetime) -> bool:
    """Give an article that lacks it its text, and what else its page says; False if it has one or was edited since."""
    changes: dict[str, object] = {
        name: getattr(found, name) for name in GAINED if not getattr(article, name) and getattr(found, name)
    }
    if found.published and is_more_exact(article, found.published):
        changes |= {"published_at": found.published.at, "published_precision": found.published.precision}
    bare = Article.objects.filter(pk=article.pk, content="", edited_at=None)
    changes |= {"content": found.text, "content_hash": fingerprint(found.text), "compare_at": now}
    return bool(bare.update(**changes, last_error="", updated_at=now))
