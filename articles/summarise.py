"""From an article's text to its summary: claim the article, ask the model with no transaction open, write what came."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from articles import asking, metrics, prompts
from articles.asking import Answer, CutShort, SummaryError, UnusableSummary, text_of, usable
from articles.duplicates import place_due
from articles.models import Article, DeadLetter, Prompt, Summary
from articles.reusing import summary_of_main
from usage import llm

__all__ = ["CutShort", "SummaryError", "UnusableSummary", "awaiting_summary", "summarise_article", "text_of", "usable"]

# The call must be over by then; afterwards another worker may take the article, and the late answer is dropped.
LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 4
# Doubled after each further failure.
FIRST_PAUSE = timedelta(minutes=1)
# What no later attempt can mend.
HOPELESS = (llm.NothingToComplete, llm.NoSuchProvider)


def summarise_article(article_id: int, force: bool = False, provider: str = "") -> bool:
    """Take the article's next step if it is to be summarised and due; True if it has its summary now.

    An article whose text is as it was for its newest summary keeps that one. With `force` an article of any status gets
    a new version, from one provider if named, and whoever is working on it loses. A failure is written into the
    article, which is tried again later or, after `MOST_ATTEMPTS`, given up with a dead letter.
    """
    if force:
        Article.objects.filter(pk=article_id).exclude(status=Article.Status.NEW).summarise_again(provider=provider)
    # Whether it is a copy is told before anything is paid, and before it goes on to its channels.
    place_due(article_id)
    ready = Article.objects.filter(status=Article.Status.READY).select_related("source", "duplicate_of")
    article = ready.claim(article_id, LEASE)
    if article is None:
        return False
    try:
        answer = None if _is_summarised_already(article) else _ask(article)
    except (llm.LlmError, SummaryError) as error:
        _record_failure(article, error)
        return False
    return _record_success(article, answer)


def awaiting_summary(force: bool = False) -> QuerySet[Article]:
    """Articles with a text that are due for a summary or whose source leaves it to people; with `force`, all that may
    get a new one.
    """
    is_due = Q(status=Article.Status.READY, next_step_at__lte=timezone.now())
    is_left_to_people = Q(status=Article.Status.STORED, summary_text="")
    wanted = ~Q(status=Article.Status.NEW) if force else is_due | is_left_to_people
    return Article.objects.filter(wanted).exclude(content="", lead="")


def _is_summarised_already(article: Article) -> bool:
    newest = article.summaries.written().order_by("-version").first()
    return bool(newest and article.summary_text and newest.content_hash and newest.content_hash == article.content_hash)


def _ask(article: Article) -> Answer:
    if article.attempts > MOST_ATTEMPTS:
        raise CutShort(_("No attempt came to an end: the process was killed each time."))
    if taken_over := summary_of_main(article):
        return taken_over
    prompt = prompts.current(Prompt.Kind.SUMMARY)
    return asking.ask(article, prompt, purpose="summary", provider=article.wanted_provider)


def _record_success(article: Article, answer: Answer | None) -> bool:
    """Write the summary (None: the newest one holds), offer the article to its channels; False if the lease is lost."""
    now = timezone.now()
    offer = {"offered_at": now} if article.source.auto_queue and article.is_young(now) else {}
    with transaction.atomic():
        kept = Article.objects.held(article).update(
            status=Article.Status.SUMMARISED,
            summary_text=answer.text if answer else article.summary_text,
            language=asking.language(article),
            next_step_at=None,
            attempts=0,
            last_error="",
            wanted_provider="",
            updated_at=now,
            **offer,
        )
        if kept and answer:
            _add_version(article, answer)
        if kept:
            DeadLetter.objects.filter(entity_type=DeadLetter.EntityType.SUMMARY, entity_ref=str(article.pk)).delete()
    return bool(kept)


def _add_version(article: Article, answer: Answer) -> None:
    """Keep the summary as the next version. The article's row is locked, so versions cannot collide."""
    newest = article.summaries.aggregate(newest=Max("version"))["newest"] or 0
    Summary.objects.create(
        article=article,
        version=newest + 1,
        text=answer.text,
        content_hash=article.content_hash,
        provider=answer.completion.provider,
        model=answer.completion.model,
        prompt_version=answer.prompt,
        usage_event_id=answer.completion.usage_event_id,
        findings=answer.findings,
    )


def _record_failure(article: Article, error: llm.LlmError | SummaryError) -> None:
    """Plan the next attempt or, when there is no hope, give the article up with a dead letter."""
    metrics.errors.labels(type(error).__name__).inc()
    now = timezone.now()
    outcome = {"last_error": str(error), "updated_at": now}
    if article.attempts < MOST_ATTEMPTS and not isinstance(error, HOPELESS):
        pause = FIRST_PAUSE * 2 ** (article.attempts - 1)
        Article.objects.held(article).update(next_step_at=now + pause, **outcome)
        return
    with transaction.atomic():
        if Article.objects.held(article).update(status=Article.Status.FAILED, next_step_at=None, **outcome):
            DeadLetter.record(
                DeadLetter.EntityType.SUMMARY,
                str(article.pk),
                error.code,
                str(error),
                article.attempts,
                hopeless=isinstance(error, HOPELESS),
            )
