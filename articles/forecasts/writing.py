"""Writing one forecast note: claim its row, ask the model with no transaction open, check and write what came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from articles import asking, metrics, prompts
from articles.asking import CutShort, SummaryError, text_of
from articles.forecasts import checking, form
from articles.models import Article, DeadLetter, ForecastNote, Prompt
from usage import llm
from usage.prompts import BudgetSpent

# For the ledger and for budgets of their own.
PURPOSE = "forecast"
FORM = llm.Form("forecast_note", form.schema())
# The call must be over by then; afterwards another worker may take the note, and the late answer is dropped.
LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 4
# Doubled after each further failure.
FIRST_PAUSE = timedelta(minutes=1)
# What no later attempt can mend.
HOPELESS = (llm.NothingToComplete, llm.NoSuchProvider)
# Nothing was paid, and a few minutes change nothing: the note is left out until somebody asks for it again.
OUT_OF_REACH = (llm.NobodyCapable, BudgetSpent)

Status = ForecastNote.Status


@dataclass(frozen=True, slots=True)
class Answer:
    """A note that keeps to its form, the prompt and the call it came from, and the findings of its check as JSON."""

    note: form.Note
    prompt: str
    completion: llm.Completion
    findings: list[dict[str, Any]]


def write_note(note_id: int) -> bool:
    """Write one note if it is due; True if it is written now.

    A failure is written into it. It is tried again later or, after `MOST_ATTEMPTS`, given up with a dead letter. Where
    nobody can be asked (no language model, no budget) it is skipped, and its row says why.
    """
    note = ForecastNote.objects.waiting().select_related("article__source").claim(note_id, LEASE)
    if note is None:
        return False
    try:
        answer = _ask(note)
    except (llm.LlmError, SummaryError) as error:
        _record_failure(note, error)
        return False
    return _record_success(note, answer)


def request_of(article: Article, prompt: Prompt) -> llm.Prompt:
    """What a language model is asked for an article."""
    return llm.Prompt(
        instructions=prompt.filled(min_chars=0, max_chars=form.LONGEST_ANSWER),
        title=article.title,
        text=text_of(article),
        language=asking.language(article),
        max_chars=form.LONGEST_ANSWER,
        version=prompt.label,
        form=FORM,
    )


def _ask(note: ForecastNote) -> Answer:
    if note.attempts > MOST_ATTEMPTS:
        raise CutShort(_("No attempt came to an end: the process was killed each time."))
    article, prompt = note.article, prompts.current(Prompt.Kind.FORECAST)
    completion = llm.complete(
        request_of(article, prompt), purpose=PURPOSE, subject=f"article:{article.pk}", provider=note.wanted_provider
    )
    text = text_of(article)
    read = form.read(completion.text)
    checking.refuse_addresses(read, f"{article.title}\n{text}")
    published = timezone.localdate(article.published_at)
    found = checking.findings(read, title=article.title, text=text, published=published)
    return Answer(read, prompt.label, completion, found)


def _record_success(note: ForecastNote, answer: Answer) -> bool:
    """Write the note and, while it is news, offer it to the service channels; False if the lease is lost."""
    now = timezone.now()
    with transaction.atomic():
        kept = ForecastNote.objects.held(note).update(
            status=Status.WRITTEN,
            next_step_at=None,
            attempts=0,
            last_error="",
            data=answer.note.model_dump(mode="json"),
            findings=answer.findings,
            content_hash=note.article.content_hash,
            provider=answer.completion.provider,
            model=answer.completion.model,
            prompt_version=answer.prompt,
            usage_event_id=answer.completion.usage_event_id,
            written_at=now,
            offered_at=now if note.article.is_young(now) else None,
        )
        if kept:
            _letters(note).delete()
    return bool(kept)


def _record_failure(note: ForecastNote, error: llm.LlmError | SummaryError) -> None:
    """Plan the next attempt, skip the note, or give it up with a dead letter."""
    metrics.errors.labels(type(error).__name__).inc()
    held, reason = ForecastNote.objects.held(note), str(error) or error.code
    is_last = note.attempts >= MOST_ATTEMPTS
    if isinstance(error, OUT_OF_REACH) or (is_last and isinstance(error, llm.Skipped)):
        held.update(status=Status.SKIPPED, next_step_at=None, last_error=reason)
    elif is_last or isinstance(error, HOPELESS):
        with transaction.atomic():
            if held.update(status=Status.FAILED, next_step_at=None, last_error=reason):
                ref, kind = str(note.article_id), DeadLetter.EntityType.FORECAST
                # Whoever gave up asked several times, and each time may be paid for: people decide.
                DeadLetter.record(kind, ref, error.code, reason, note.attempts, hopeless=True)
    else:
        held.update(next_step_at=timezone.now() + FIRST_PAUSE * 2 ** (note.attempts - 1), last_error=reason)


def _letters(note: ForecastNote) -> QuerySet[DeadLetter]:
    return DeadLetter.objects.filter(entity_type=DeadLetter.EntityType.FORECAST, entity_ref=str(note.article_id))
