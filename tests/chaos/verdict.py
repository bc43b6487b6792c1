"""At the end: was anything lost, doubled, or forgotten? Asked of the outside world's own books, not of ours."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator

from articles.canonical import canonicalise
from articles.models import Article, DeadLetter, Source
from publishing.models import Message, Publication
from tests.chaos.progress import asked
from tests.crash import oracle
from tests.fakes.bot_api import BotApi
from tests.fakes.llm_server import LlmServer
from usage.models import ApiUsageDaily, ApiUsageEvent
from usage.prompts import Unreachable

FINAL = (Publication.State.PUBLISHED, Publication.State.REJECTED)
PROVIDER = "openai"
REFERENCE = "warandpeace-"


def come_to_rest(published: list[str], meanwhile: Callable[[], None], seconds: float) -> bool:
    """Whether all that was published at the sites was read, summarised and posted within so many seconds.

    `meanwhile` is done again and again until then.
    """
    asked(Source.objects.all().fetch_now)
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        if asked(lambda: _is_done(published)):
            return True
        meanwhile()
        time.sleep(1)
    return False


def _is_done(published: list[str]) -> bool:
    return (
        Article.objects.filter(canonical_link__in=[canonicalise(link) for link in published]).count() == len(published)
        and not Article.objects.filter(status__in=(Article.Status.NEW, Article.Status.READY)).exists()
        and not Article.objects.ready_to_publish().exists()
        and not Publication.objects.waiting().exists()
        and not Message.objects.exclude(state__in=Message.AT_REST).exists()
    )


def complaints(published: list[str], telegram: BotApi, models: LlmServer) -> Iterator[str]:
    """What does not agree, a sentence each; none if all is well."""
    yield from _of_articles(published)
    yield from _of_posts(telegram)
    yield from _of_calls(models)


def _of_articles(published: list[str]) -> Iterator[str]:
    stored = Counter(Article.objects.values_list("canonical_link", flat=True))
    wanted = {canonicalise(link) for link in published}
    if missing := wanted - set(stored):
        yield f"{len(missing)} of {len(wanted)} articles are missing: {min(missing)}"
    if strange := set(stored) - wanted:
        yield f"{len(strange)} articles were never published: {min(strange)}"
    if letters := DeadLetter.objects.count():
        yield f"{letters} dead letters: {DeadLetter.objects.values_list('entity_type', 'error_code')[:3]}"
    unsummarised = Article.objects.exclude(status=Article.Status.SUMMARISED).count()
    if unsummarised:
        yield f"{unsummarised} articles have no summary"


def _of_posts(telegram: BotApi) -> Iterator[str]:
    try:
        oracle.check(telegram)
    except oracle.PromiseBroken as broken:
        yield f"the ledger of deliveries: {broken}"
    unqueued = Article.objects.filter(publications=None).count()
    if unqueued:
        yield f"{unqueued} articles were never queued"
    states = Counter(Publication.objects.exclude(state__in=FINAL).values_list("state", flat=True))
    if states:
        yield f"publications that are not out: {dict(states)}"


def _of_calls(models: LlmServer) -> Iterator[str]:
    """Each request the server saw has its row; each answer it gave is counted, but those that nobody could hear."""
    with models._server.lock:
        asked_for, told = Counter(request.reference for request in models.requests), set(models.book.told)
    rows = {f"{REFERENCE}{event.pk}": event for event in ApiUsageEvent.objects.filter(provider=PROVIDER)}
    if strange := set(asked_for) - set(rows):
        yield f"{len(strange)} requests to the model have no row: {min(strange)}"
    if twice := [reference for reference, times in asked_for.items() if times > 1]:
        yield f"{len(twice)} calls were made twice: {min(twice)}"
    state = ApiUsageEvent.State
    if unproved := {name for name, event in rows.items() if event.state == state.SUCCEEDED} - told:
        yield f"{len(unproved)} calls succeeded which the server never answered: {min(unproved)}"
    uncounted = [name for name in told if rows[name].state == state.FAILED and not _is_unheard(rows[name])]
    if uncounted:
        yield f"{len(uncounted)} answers of the server count as failures: {min(uncounted)}"
    yield from _of_totals(rows, models, told)


def _is_unheard(answered: ApiUsageEvent) -> bool:
    """Whether the caller was killed before the answer came, or the line was cut under it."""
    return answered.state == ApiUsageEvent.State.STARTED or answered.error_code == Unreachable.code


def _of_totals(rows: dict[str, ApiUsageEvent], models: LlmServer, told: set[str]) -> Iterator[str]:
    """The rows' tokens are the server's, less those that nobody could hear of; the days' totals are the rows'."""
    unheard = sum(_is_unheard(rows[name]) for name in told)
    tokens_in, tokens_out = models._server.tokens
    ours = (sum(event.tokens_in for event in rows.values()), sum(event.tokens_out for event in rows.values()))
    theirs = (models.book.tokens_in - unheard * tokens_in, models.book.tokens_out - unheard * tokens_out)
    if ours != theirs:
        yield f"the rows count {ours} tokens, the server {theirs} (and {unheard} answers that nobody heard)"
    days = list(ApiUsageDaily.objects.filter(provider=PROVIDER).values_list("tokens_in", "tokens_out"))
    totals = (sum(day[0] for day in days), sum(day[1] for day in days))
    if totals != ours:
        yield f"the days' totals are {totals} tokens, the rows' {ours}"
