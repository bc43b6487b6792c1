"""The texts of articles that are compared, read when they are needed and kept for a while."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from articles.duplicates.shingles import jaccard, shingles
from articles.models import Article

# So many sets of shingles stay at hand: about 30 KB each.
KEPT = 1_000
# So many texts are read by one query.
READ_AT_ONCE = 200


class Texts:
    """Shingles of articles by their numbers."""

    def __init__(self) -> None:
        self._sets: OrderedDict[int, frozenset[str]] = OrderedDict()

    def read(self, articles: Iterable[int]) -> Iterator[tuple[int, frozenset[str]]]:
        """The shingles of these articles, as far as they exist."""
        wanted = list(articles)
        for start in range(0, len(wanted), READ_AT_ONCE):
            some = wanted[start : start + READ_AT_ONCE]
            for pk, content, lead in Article.objects.filter(pk__in=some).values_list("pk", "content", "lead"):
                yield pk, frozenset(shingles(content or lead))

    def prepare(self, articles: Iterable[int]) -> None:
        """Have the texts at hand that are about to be compared."""
        for pk, text in self.read({pk for pk in articles if pk not in self._sets}):
            self._sets[pk] = text
        while len(self._sets) > KEPT:
            self._sets.popitem(last=False)

    def similarity(self, one: int, other: int) -> float:
        """What the texts of two articles share, from 0 to 1."""
        return jaccard(self._of(one), self._of(other))

    def _of(self, article: int) -> frozenset[str]:
        if article not in self._sets:
            self.prepare([article])
        return self._sets.get(article, frozenset())
