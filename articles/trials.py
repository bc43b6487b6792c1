"""Trials: what another prompt or another provider would make of an article, beside what readers get."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from articles import asking
from articles.models import Article, Prompt, Summary
from usage import llm

# The call is over by then; afterwards the trial is due again.
LEASE = timedelta(minutes=5)
# For the ledger and for budgets of their own.
PURPOSE = "trial"


def request(articles: Iterable[Article], prompt: Prompt, *, provider: str = "") -> list[int]:
    """Plan a trial of the prompt for each article, by one provider if named; the numbers of their rows."""
    return [_plan(article, prompt, provider) for article in articles]


@transaction.atomic
def _plan(article: Article, prompt: Prompt, provider: str) -> int:
    # The article's row is locked, so that versions cannot collide with those of summaries.
    Article.objects.select_for_update().get(pk=article.pk)
    newest = article.summaries.aggregate(newest=Max("version"))["newest"] or 0
    trial = Summary.objects.create(
        article=article,
        version=newest + 1,
        provider=provider,
        prompt_version=prompt.label,
        is_trial=True,
        next_step_at=timezone.now(),
    )
    return trial.pk


def write_trial(summary_id: int) -> bool:
    """Write one trial if it is due; True if it has its text now. A failure is written into it, and that is all."""
    trial = _claim(summary_id)
    if trial is None:
        return False
    prompt = Prompt.labelled(trial.prompt_version)
    if prompt is None:
        _held(trial).update(next_step_at=None, error=_("The prompt no longer exists."))
        return False
    try:
        answer = asking.ask(trial.article, prompt, purpose=PURPOSE, provider=trial.provider)
    except (llm.LlmError, asking.SummaryError) as error:
        _held(trial).update(next_step_at=None, error=str(error) or error.code)
        return False
    return bool(
        _held(trial).update(
            next_step_at=None,
            error="",
            text=answer.text,
            provider=answer.completion.provider,
            model=answer.completion.model,
            usage_event_id=answer.completion.usage_event_id,
            findings=answer.findings,
        )
    )


def _claim(summary_id: int) -> Summary | None:
    """The trial under a lease, or None if it is not due or somebody else was quicker.

    One that was begun before is given up: whatever killed its writer would be paid for again.
    """
    waiting = Summary.objects.filter(is_trial=True).due()
    trial = waiting.select_related("article__source").filter(pk=summary_id).first()
    if trial is None:
        return None
    if trial.error:
        _held(trial).update(next_step_at=None)
        return None
    lease = timezone.now() + LEASE
    if not _held(trial).update(next_step_at=lease, error=_("It was begun and did not come to its end.")):
        return None
    trial.next_step_at = lease
    return trial


def _held(trial: Summary) -> QuerySet[Summary]:
    """The trial's row as long as nobody has taken it since it was read."""
    return Summary.objects.filter(pk=trial.pk, next_step_at=trial.next_step_at)
