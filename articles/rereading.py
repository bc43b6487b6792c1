"""What a walk through an archive has given up, read again: by a run of its own, as politely as the walk was."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils import timezone

from articles.models import Article, BackfillRun, Source
from articles.sites import reading
from articles.sites.reading import NotDescribed

# So many texts are left to one run; its checkpoint holds them all.
MOST_TEXTS = 500


def read_text_again(article: Article) -> None:
    """Plan to fetch the text of an archived article: by a run that waits to begin, or by a new one."""
    wanted, waiting = [article.pk, 0], _waiting(article.source)
    if any(article.pk == number for run in waiting for number, _attempts in run.checkpoint.get("texts", [])):
        return
    for run in waiting:
        texts = [*run.checkpoint.get("texts", []), wanted]
        # A new time, so that whoever has read the run before can't claim it as it was.
        planned = {"checkpoint": run.checkpoint | {"texts": texts}, "next_step_at": timezone.now()}
        if len(texts) <= MOST_TEXTS and waiting.filter(pk=run.pk, next_step_at=run.next_step_at).update(**planned):
            return
    day = article.published_at.astimezone(ZoneInfo(article.source.time_zone)).date()
    _plan(article.source, day, texts=[wanted], is_over=True)


def read_list_again(address: str) -> bool:
    """Plan to read the day again whose list in an archive is at an address; False if no archive has it."""
    for source in Source.objects.exclude(selectors={}):
        try:
            day = reading.described(source).archive.day_at(address)
        except NotDescribed:
            continue
        if day:
            if not _waiting(source).filter(date_from=day, date_to=day, checkpoint={}).exists():
                _plan(source, day)
            return True
    return False


def _waiting(source: Source) -> QuerySet[BackfillRun]:
    """Runs of this kind that have not begun yet."""
    return BackfillRun.objects.filter(source=source, origin=BackfillRun.Origin.RETRY, state=BackfillRun.State.PENDING)


def _plan(source: Source, day: date, **checkpoint: object) -> None:
    BackfillRun.objects.create(
        source=source,
        date_from=day,
        date_to=day,
        origin=BackfillRun.Origin.RETRY,
        checkpoint=checkpoint,
        next_step_at=timezone.now(),
    )
