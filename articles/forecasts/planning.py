"""Which articles get a forecast note: planned for sources that want them, or asked for by people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from articles.models import Article, ForecastNote, Source
from usage.models import Provider

# So many articles of a source are asked for at once; the rest follows with the next sweep.
PLANNED_AT_ONCE = 100

Status = ForecastNote.Status


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
