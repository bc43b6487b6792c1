"""All articles compared with one another: what a bulk load left to be done, or everything anew."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection
from django.db.models import QuerySet

from articles.duplicates import index
from articles.duplicates.placing import COMPARABLE, Placed, place
from articles.duplicates.signing import VERSION
from articles.models import Article

# One transaction each. Nobody else's article is compared meanwhile, for a second or two.
AT_ONCE = 2_000

Progress = Callable[[Placed], None]


def unplaced() -> QuerySet[Article]:
    """Articles with a settled text that have not been compared, or were signed in another way than today's."""
    return Article.objects.filter(COMPARABLE).exclude(signature__version=VERSION)


def to_rebuild(*, everything: bool = False, after: int = 0) -> QuerySet[Article]:
    """The articles that a rebuild would place."""
    return (Article.objects.filter(COMPARABLE) if everything else unplaced()).filter(pk__gt=after)


def rebuild(
    progress: Progress | None = None,
    *,
    everything: bool = False,
    after: int = 0,
    should_stop: Callable[[], bool] = lambda: False,
) -> Placed:
    """Place articles in the order of their numbers, those after `after`; with `everything` also those that are placed.

    `progress` is told after each portion what has been done by then. A rebuild that was stopped or killed is run again:
    each portion is one transaction, and what has its signature is done. With `everything` it is told where to go on.
    """
    done = Placed(last=after)
    with index.written_in_bulk():
        while not should_stop() and (some := _next(done.last, everything=everything)):
            done += place(some, among_earlier=everything)
            if progress:
                progress(done)
    _analyse()
    return done


def _next(after: int, *, everything: bool) -> list[int]:
    following = to_rebuild(everything=everything, after=after).order_by("pk")
    return list(following.values_list("pk", flat=True)[:AT_ONCE])


def _analyse() -> None:
    """Let the planner know of the signatures: it would read all of them else until it looks by itself."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE articles_signature")
