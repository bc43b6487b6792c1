"""From an article to its forecast note: ask for a row, claim it, ask the model with no transaction open, write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from articles import asking, forecast_check, forecast_form, metrics, prompts
from articles.asking import CutShort, SummaryError, text_of
from articles.models import Article, DeadLetter, ForecastNote, Prompt, Source
from usage import llm
from usage.models import Provider
from usage.prompts import BudgetSpent

# For the ledger and for budgets of their own.
PURPOSE = "forecast"
FORM = llm.Form("forecast_note", forecast_form.schema())
# The call must be over by then; afterwards another worker may take the note, and the late answer is dropped.
LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 4
# Doubled after each further failure.
FIRST_PAUSE = timedelta(minutes=1)
# What no later attempt can mend.
HOPELESS = (llm.NothingToComplete, llm.NoSuchProvider)
# Nothing was paid, and a few minutes change nothing: the note is left out until somebody asks for it again.
OUT_OF_REACH = (llm.NobodyCapable, BudgetSpent)
# So many articles of a source are asked for at once; the rest follows with the next sweep.
PLANNED_AT_ONCE = 100

Status = ForecastNote.Status


@dataclass(frozen=True, slots=True)
class Answer:
    """A note that keeps to its form, the prompt and the call it came from, and the findings of its check as JSON."""

    note: forecast_form.Note
    prompt: str
    completion: llm.Completion
    findings: list[dict[str, Any]]


# --- asking for notes -----------------------------------------------------------------------------------------------


def analysable() -> QuerySet[Article]:
    """Articles whose text is as complete as it will get."""
    return Article.objects.exclude(status=Article.Status.NEW).exclude(content="", lead="")


def without_note() -> QuerySet[Article]:
    """Articles that may get a note and for which nobody has ever asked."""
    return analysable().filter(~Exists(ForecastNote.objects.filter(article=OuterRef("pk"))))


def awaiting_note(force: bool = False) -> QuerySet[Article]:
    """Articles whose note is due, was skipped, or was never asked for; with `force`, all that may get a new one."""
    is_settled = Q(status__in=[Status.WRITTEN, Status.FAILED])
    is_later = Q(status=Status.WAITING, next_step_at__gt=timezone.now())
    other = ForecastNote.objects.filter(is_settled | is_later, article=OuterRef("pk"))
    return analysable() if force else analysable().filter(~Exists(other))


def can_be_written(provider: str = "") -> bool:
    """Whether a language model is switched on that could write notes; the one with the name, if one is given."""
    models = Provider.objects.filter(is_enabled=True, kind=Provider.Kind.OPENAI)
    return (models.filter(name=provider) if provider else models).exists()


def plan_due(now: datetime | None = None) -> int:
    """Ask for the notes of new articles whose sources want them; about how many. Two processes never make two."""
    moment = now or timezone.now()
    return sum(_plan_source(source, moment) for source in Source.objects.active().filter(auto_forecast=True))


def _plan_source(source: Source, now: datetime) -> int:
    # A day more than it says, for what is dated to the day.
    oldest = now - timedelta(hours=source.queue_max_age_hours, days=1)
    wanted = without_note().filter(source=source, published_at__gte=oldest, duplicate_of=None)
    young = [article for article in _light(wanted)[:PLANNED_AT_ONCE] if article.is_young(now)]
    notes = [ForecastNote(article=article, version=1, next_step_at=now) for article in young]
    return len(ForecastNote.objects.bulk_create(notes, ignore_conflicts=True))


def _light(articles: QuerySet[Article]) -> QuerySet[Article]:
    return articles.select_related("source").defer("content", "lead", "summary_text").order_by("-published_at", "-pk")


def request(article_ids: Iterable[int], *, provider: str = "") -> list[int]:
    """Ask for a new note of each article that has a text, from one provider if named; the numbers of their rows.

    Where a note is already waiting that one is given: it is paid for once.
    """
    planned = (_plan(pk, provider) for pk in article_ids)
    return [pk for pk in planned if pk is not None]


@transaction.atomic
def _plan(article_id: int, provider: str) -> int | None:
    # The article's row is locked, so that versions cannot collide.
    article = analysable().select_for_update().filter(pk=article_id).first()
    if article is None:
        return None
    notes = article.forecast_notes.all()
    if waiting := notes.filter(status=Status.WAITING).first():
        return waiting.pk
    newest = notes.aggregate(newest=Max("version"))["newest"] or 0
    note = article.forecast_notes.create(version=newest + 1, wanted_provider=provider, next_step_at=timezone.now())
    return note.pk


# --- writing one ----------------------------------------------------------------------------------------------------


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
        instructions=prompt.filled(min_chars=0, max_chars=forecast_form.LONGEST_ANSWER),
        title=article.title,
        text=text_of(article),
        language=asking.language(article),
        max_chars=forecast_form.LONGEST_ANSWER,
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
    read = forecast_form.read(completion.text)
    forecast_check.refuse_addresses(read, f"{article.title}\n{text}")
    published = timezone.localdate(article.published_at)
    found = forecast_check.findings(read, title=article.title, text=text, published=published)
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
