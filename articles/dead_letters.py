"""What failed for good, tried again: by the sweeper a few times, and by people as often as they like.

To try a thing again is to make its own row due; the pipeline does the rest and removes the letter when it succeeds, or
brings it up to date when it fails anew. How that is done is told by whoever knows the thing: a handler for each kind of
letter, registered by its app. So this room need not know of posts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from articles import rereading
from articles.canonical import NotCanonical, canonicalise
from articles.forecasts import planning
from articles.models import Article, DeadLetter, Source

Kind = DeadLetter.EntityType
# How many letters one doorbell tries again.
AT_ONCE = 50


class Outcome(StrEnum):
    """What came of trying one again."""

    DUE = "retried"  # the thing's own row is due now
    FINE = "closed"  # it had succeeded meanwhile: the letter is gone
    LOST = "lost"  # there is nothing of that name: the letter stays until somebody discards it
    TAKEN = "taken"  # somebody else was faster


Handler = Callable[[str], Outcome]
_handlers: dict[str, list[Handler]] = defaultdict(list)


def handles(kind: str) -> Callable[[Handler], Handler]:
    """Register a handler for a kind of letters: it gets `entity_ref`, makes the thing due, and says what came of it.

    It runs inside of a transaction and touches nothing but rows. Where a kind has several, those that find the thing
    `LOST` let the next one try.
    """

    def register(handler: Handler) -> Handler:
        _handlers[kind].append(handler)
        return handler

    return register


@dataclass
class Tally:
    """How many letters came to what."""

    counts: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return " ".join(f"{outcome}={self.counts[outcome]}" for outcome in Outcome)


def retry(letters: Iterable[DeadLetter]) -> Tally:
    """Try these again, because somebody wishes it; each is a transaction of its own."""
    return Tally(Counter(_retry(letter, by_itself=False) for letter in letters))


def retry_due() -> Tally:
    """Try again what is to be tried by itself now, a bounded number."""
    return Tally(Counter(_retry(letter, by_itself=True) for letter in DeadLetter.objects.due()[:AT_ONCE]))


def discard(letters: Iterable[DeadLetter]) -> int:
    """Give these up for good: nothing speaks of them any more; how many. One that has failed anew meanwhile stays."""
    seen = Q(pk__in=[])
    for letter in letters:
        seen |= Q(pk=letter.pk, attempts=letter.attempts)
    return DeadLetter.objects.filter(seen).delete()[0]


@transaction.atomic
def _retry(letter: DeadLetter, *, by_itself: bool) -> Outcome:
    """Claim the letter as it was seen, and make its thing due. All of it happens or nothing."""
    as_seen = DeadLetter.objects.filter(
        pk=letter.pk, attempts=letter.attempts, next_attempt_at=letter.next_attempt_at, retried_at=letter.retried_at
    )
    tried = {"retries": F("retries") + 1} if by_itself else {}
    if not as_seen.update(next_attempt_at=None, retried_at=timezone.now(), **tried):
        return Outcome.TAKEN
    outcome = _handle(letter)
    if outcome == Outcome.FINE:
        DeadLetter.objects.filter(pk=letter.pk).delete()
    return outcome


def _handle(letter: DeadLetter) -> Outcome:
    for handler in _handlers[letter.entity_type]:
        if (outcome := handler(letter.entity_ref)) != Outcome.LOST:
            return outcome
    return Outcome.LOST


# --- how articles and their sources are tried again -----------------------------------------------------------------


@handles(Kind.PAGE)
def _page(ref: str) -> Outcome:
    """A page that an archive's walk has given up: the text of an article that is stored without, or a day's list."""
    bare = Article.objects.filter(_named(ref), status=Article.Status.STORED, content="", edited_at=None)
    if article := bare.select_related("source").first():
        rereading.read_text_again(article)
        return Outcome.DUE
    if not Article.objects.filter(_named(ref)).exists():
        return Outcome.DUE if rereading.read_list_again(ref) else Outcome.LOST
    return _article(ref)


@handles(Kind.ARTICLE)
@handles(Kind.SUMMARY)
def _article(ref: str) -> Outcome:
    """The step at which an article gave up is due again. Its title and its time stay what they are."""
    article = Article.objects.filter(_named(ref)).only("pk", "status", "content", "lead", "next_step_at").first()
    if article is None:
        return Outcome.LOST
    if article.status != Article.Status.FAILED:
        return Outcome.FINE if article.next_step_at is None else Outcome.DUE
    has_text = bool(article.content or article.lead)
    failed = Article.objects.filter(pk=article.pk, status=Article.Status.FAILED)
    again = failed.update(
        status=Article.Status.READY if has_text else Article.Status.NEW,
        next_step_at=timezone.now(),
        attempts=0,
        last_error="",
    )
    return Outcome.DUE if again else Outcome.TAKEN


@handles(Kind.FORECAST)
def _forecast(ref: str) -> Outcome:
    return Outcome.DUE if ref.isdecimal() and planning.request([int(ref[:18])]) else Outcome.LOST


@handles(Kind.SOURCE)
def _source(ref: str) -> Outcome:
    """A source is named by its short name or its number."""
    named = Q(slug=ref) | Q(pk=int(ref[:18])) if ref.isdecimal() else Q(slug=ref)
    return Outcome.DUE if Source.objects.filter(named).fetch_now() else Outcome.LOST


def _named(ref: str) -> Q:
    """An article by its number or by its address."""
    if ref.isdecimal():
        return Q(pk=int(ref[:18]))
    try:
        return Q(canonical_link=canonicalise(ref))
    except NotCanonical:
        return Q(canonical_link=ref)
