"""The full text of an article whose feed brought only a part of it: from its page."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from articles import article_text, http, metrics
from articles.models import Article, DeadLetter, Source
from articles.robots import Disallowed
from articles.sites import reading, rot
from articles.sites.pages import Found
from articles.sites.reading import UnreadableSite
from articles.storing import after_text, fingerprint

# The page must be fetched and read by then; afterwards another worker may take the article.
LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 5
# Doubled after each further failure.
FIRST_PAUSE = timedelta(minutes=2)
# Less text than this (characters) is a menu, a cookie banner or a wall, not an article.
SHORTEST_TEXT = 150


class NoText(Exception):
    """There is no article to be found on the page."""

    code = "NoText"
    retry_after: timedelta | None = None


# What a page may fail with.
UNREADABLE = (http.FetchError, NoText, UnreadableSite, Disallowed)


def complete_article(article_id: int) -> bool:
    """Take the article's next step if its page is to be fetched and that is due; True if its text is settled now.

    A failure is written into the article, which is tried again later. After `MOST_ATTEMPTS` the text of the feed has to
    do; where there is none, the article is given up with a dead letter.
    """
    waiting = Article.objects.filter(status=Article.Status.NEW).select_related("source")
    article = waiting.claim(article_id, LEASE)
    if article is None:
        return False
    try:
        found = read_page(article.source, article.url)
    except UNREADABLE as error:
        watch(article.source, error)
        return _record_failure(article, error)
    finally:
        http.record_requests(at_least=20)
    watch(article.source, found)
    return _settle(article, max(found.text, article.content, key=len), last_error="")


def watch(source: Source, result: Found | Exception) -> None:
    """Note whether the text stood where the source's selectors say; what the network has failed with says nothing."""
    if source.selectors.get("article", {}).get("text") and isinstance(result, Found | NoText):
        rot.watch_text(source, is_in_place=isinstance(result, Found) and not result.is_guessed)


def read_page(source: Source, url: str) -> Found:
    """The article at an address, from where the source's selectors say it is, else from where it seems to be.

    No database here. Raises http.FetchError, NoText, or what `articles.sites.reading` raises.
    """
    places = reading.described(source)
    response = reading.fetch(source, url)
    if places.article.text:
        found = reading.article(source, places, response)
        if found.text:
            return found
    return Found(text=_guessed(reading.document(source, response), response.url), is_guessed=True)


def _guessed(html: str, url: str) -> str:
    """The article on a page, paragraphs apart by blank lines. Raises NoText or NoPage."""
    found = reading.within_limits(partial(article_text.find, html, url), needs=article_text.NEEDS)
    if len(found) < SHORTEST_TEXT:
        raise NoText(_("No article was found on the page."))
    return found


def _settle(article: Article, content: str, *, last_error: str) -> bool:
    """Write the article's final text and its next step; False if the lease is lost."""
    now, content_hash = timezone.now(), fingerprint(content)
    status, next_step_at = after_text(article.source, content or article.lead, now)
    if _is_repeated(article, content_hash):
        status, next_step_at = Article.Status.STORED, None
    with transaction.atomic():
        kept = Article.objects.held(article).update(
            content=content,
            content_hash=content_hash,
            status=status,
            next_step_at=next_step_at,
            compare_at=now,
            attempts=0,
            last_error=last_error,
            updated_at=now,
        )
        if kept:
            DeadLetter.resolve(DeadLetter.EntityType.PAGE, article.url)
    return bool(kept)


def _is_repeated(article: Article, content_hash: str) -> bool:
    """Whether its source has brought the same title and text before, under another address and date.

    Of entries with nothing but a title only their pages tell, and a feed may bring them anew with each fetch: so often
    that they would pass for boilerplate, not for copies. They are paid for once, and queued once.
    """
    others = Article.objects.filter(source=article.source, title=article.title).exclude(pk=article.pk)
    return bool(content_hash) and others.filter(content_hash=content_hash).exists()


def _record_failure(article: Article, error: http.FetchError | NoText | UnreadableSite | Disallowed) -> bool:
    """Plan the next attempt or, after the last one, do with the feed's text or give up; True if the text is settled."""
    metrics.errors.labels(type(error).__name__).inc()
    now, reason = timezone.now(), str(error)
    if isinstance(error, http.HostRests):
        # Its server has work enough: that is nobody's failure.
        Article.objects.held(article).update(next_step_at=now + error.wait, attempts=article.attempts - 1)
        return False
    if article.attempts < MOST_ATTEMPTS:
        pause = max(FIRST_PAUSE * 2 ** (article.attempts - 1), error.retry_after or timedelta(0))
        Article.objects.held(article).update(next_step_at=now + pause, last_error=reason)
        return False
    if article.content or article.lead:
        return _settle(article, article.content, last_error=reason)
    _give_up(article, error.code, reason, now)
    return False


def _give_up(article: Article, code: str, reason: str, now: datetime) -> None:
    with transaction.atomic():
        if Article.objects.held(article).update(
            status=Article.Status.FAILED, next_step_at=None, last_error=reason, updated_at=now
        ):
            DeadLetter.record(DeadLetter.EntityType.PAGE, article.url, code, reason, article.attempts)
