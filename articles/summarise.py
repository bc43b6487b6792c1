"""From an article's text to its summary: claim the article, ask the model with no transaction open, write what came."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from articles import metrics
from articles.models import Article, DeadLetter, Summary
from usage import llm
from usage.languages import language_of

# The call must be over by then; afterwards another worker may take the article, and the late answer is dropped.
LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 4
# Doubled after each further failure.
FIRST_PAUSE = timedelta(minutes=1)
MAX_CHARS = 900
PROMPT_VERSION = "summary-1"

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# How models and their servers say that they have no summary.
EXCUSE = re.compile(
    r"\W*(?:ошибка\b|error\b|exception\b|traceback\b|не удалось получить|извините|к сожалению, я|как языковая модель"
    r"|i'?m sorry|i can(?:no|')t|as an ai\b)",
    re.IGNORECASE,
)


class SummaryError(Exception):
    """A call that was answered but gave no summary, or attempts that never came to an end. Its text is for editors.

    SummaryError
      ├ UnusableSummary   the answer is empty, too long, garbled or an excuse
      └ CutShort          each attempt was killed before its outcome was written
    """

    code = "summary_error"


class UnusableSummary(SummaryError):
    code = "unusable_summary"


class CutShort(SummaryError):
    code = "cut_short"


def summarise_article(article_id: int, force: bool = False) -> bool:
    """Take the article's next step if it is to be summarised and due; True if it has its summary now.

    An article whose text is as it was for its newest summary keeps that one. With `force` an article of any status gets
    a new version, and whoever is working on it loses. A failure is written into the article, which is tried again later
    or, after `MOST_ATTEMPTS`, given up with a dead letter.
    """
    if force:
        Article.objects.filter(pk=article_id).exclude(status=Article.Status.NEW).summarise_again()
    article = _claim(article_id)
    if article is None:
        return False
    try:
        completion = None if _is_summarised_already(article) else _ask(article)
    except (llm.LlmError, SummaryError) as error:
        _record_failure(article, error)
        return False
    return _record_success(article, completion)


def awaiting_summary(force: bool = False) -> QuerySet[Article]:
    """Articles with a text that are due for a summary or whose source leaves it to people; with `force`, all that may
    get a new one.
    """
    is_due = Q(status=Article.Status.READY, next_step_at__lte=timezone.now())
    is_left_to_people = Q(status=Article.Status.STORED, summary_text="")
    wanted = ~Q(status=Article.Status.NEW) if force else is_due | is_left_to_people
    return Article.objects.filter(wanted).exclude(content="", lead="")


def text_of(article: Article) -> str:
    """What there is to summarise: the article's text, or its lead where a feed brings no more."""
    return article.content or article.lead


def usable(answer: str, *, source: str, max_chars: int) -> str:
    """The answer without surrounding space. Raises UnusableSummary if it is no summary of `source`."""
    text = answer.strip()
    if not text:
        raise UnusableSummary(_("The answer is empty."))
    if len(text) > max_chars:
        counted = {"length": len(text), "limit": max_chars}
        raise UnusableSummary(_("The answer has %(length)d characters; %(limit)d are the limit.") % counted)
    if UNPRINTABLE.search(text):
        raise UnusableSummary(_("The answer contains control characters."))
    # An article may well begin like this itself; then it is no excuse.
    if (excuse := EXCUSE.match(text)) and excuse.group() not in source:
        raise UnusableSummary(_("The answer is an excuse: %(answer)s") % {"answer": text[:80]})
    return text


def _claim(article_id: int) -> Article | None:
    """The article under a new lease, or None if it is not due or somebody else was quicker.

    An attempt counts from here on, so that an article which kills its worker is given up, too.
    """
    now = timezone.now()
    waiting = Article.objects.filter(status=Article.Status.READY).due(now)
    article = waiting.select_related("source").filter(pk=article_id).first()
    if article is None:
        return None
    lease = now + LEASE
    if not _held(article).update(next_step_at=lease, attempts=F("attempts") + 1):
        return None
    article.next_step_at = lease
    article.attempts += 1
    return article


def _held(article: Article) -> QuerySet[Article]:
    """The article's row as long as nobody has taken or changed its next step since it was read."""
    return Article.objects.filter(pk=article.pk, status=article.status, next_step_at=article.next_step_at)


def _is_summarised_already(article: Article) -> bool:
    newest = article.summaries.order_by("-version").first()
    return bool(newest and article.summary_text and newest.content_hash and newest.content_hash == article.content_hash)


def _ask(article: Article) -> llm.Completion:
    if article.attempts > MOST_ATTEMPTS:
        raise CutShort(_("No attempt came to an end: the process was killed each time."))
    text = text_of(article)
    language = _language(article)
    prompt = llm.Prompt(
        instructions=render_to_string("prompts/summary.txt", {"max_chars": MAX_CHARS, "language": language}),
        title=article.title,
        text=text,
        language=language,
        max_chars=MAX_CHARS,
        version=PROMPT_VERSION,
    )
    completion = llm.complete(prompt, purpose="summary", subject=f"article:{article.pk}")
    return replace(completion, text=usable(completion.text, source=text, max_chars=MAX_CHARS))


def _language(article: Article) -> str:
    return article.language or article.source.language or language_of(text_of(article))


def _record_success(article: Article, completion: llm.Completion | None) -> bool:
    """Write the summary (None: the newest one holds), offer the article to its channels; False if the lease is lost."""
    now = timezone.now()
    offer = {"offered_at": now} if _is_to_be_offered(article, now) else {}
    with transaction.atomic():
        kept = _held(article).update(
            status=Article.Status.SUMMARISED,
            summary_text=completion.text if completion else article.summary_text,
            language=_language(article),
            next_step_at=None,
            attempts=0,
            last_error="",
            updated_at=now,
            **offer,
        )
        if kept and completion:
            _add_version(article, completion)
        if kept:
            DeadLetter.objects.filter(entity_type=DeadLetter.EntityType.SUMMARY, entity_ref=str(article.pk)).delete()
    return bool(kept)


def _add_version(article: Article, completion: llm.Completion) -> None:
    """Keep the summary as the next version. The article's row is locked, so versions cannot collide."""
    newest = article.summaries.aggregate(newest=Max("version"))["newest"] or 0
    Summary.objects.create(
        article=article,
        version=newest + 1,
        text=completion.text,
        content_hash=article.content_hash,
        provider=completion.provider,
        model=completion.model,
        prompt_version=PROMPT_VERSION,
        usage_event_id=completion.usage_event_id,
    )


def _is_to_be_offered(article: Article, now: datetime) -> bool:
    """Whether the article goes on to its channels by itself: its source wants that, and it is young enough.

    One that is dated to the day may be from its last minute.
    """
    is_vague = article.published_precision == Article.Precision.DAY
    youngest = article.published_at + timedelta(days=1 if is_vague else 0)
    return article.source.auto_queue and now - youngest <= timedelta(hours=article.source.queue_max_age_hours)


def _record_failure(article: Article, error: llm.LlmError | SummaryError) -> None:
    """Plan the next attempt or, when there is no hope, give the article up with a dead letter."""
    metrics.errors.labels(type(error).__name__).inc()
    now = timezone.now()
    outcome = {"last_error": str(error), "updated_at": now}
    if article.attempts < MOST_ATTEMPTS and not isinstance(error, llm.NothingToComplete):
        pause = FIRST_PAUSE * 2 ** (article.attempts - 1)
        _held(article).update(next_step_at=now + pause, **outcome)
        return
    with transaction.atomic():
        if _held(article).update(status=Article.Status.FAILED, next_step_at=None, **outcome):
            DeadLetter.record(DeadLetter.EntityType.SUMMARY, str(article.pk), error.code, str(error), article.attempts)
