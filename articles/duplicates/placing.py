"""Each article into its story: found by its signature, compared word by word, and told a copy or not.

A story has one main article, and every other is a copy of that one, not of another copy: stories don't grow along
chains of texts that each resemble the next. What an editor has said of an article stays as it is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.db.models import Count, Q

from articles.duplicates import index, signing
from articles.duplicates.shingles import words
from articles.duplicates.texts import READ_AT_ONCE, Texts
from articles.models import Article, Story, StoryDecision

# Two texts that share so much of their three-word runs are copies.
THRESHOLD = 0.35
# What more articles have in common is no news but boilerplate: a paywall, a form, a rubric.
MOST_IN_STORY = 50

# Articles whose text is settled.
COMPARABLE = ~Q(status=Article.Status.NEW)


@dataclass(slots=True)
class Placed:
    """How many articles were looked at, how many of them are copies of another one, and the last one's number."""

    articles: int = 0
    copies: int = 0
    last: int = 0

    def __iadd__(self, other: Placed) -> Placed:
        self.articles += other.articles
        self.copies += other.copies
        self.last = max(self.last, other.last)
        return self


def place_due(article_id: int) -> bool:
    """Compare one article with all others if that is due; False if it isn't, or somebody else has just done it.

    One transaction: whoever is killed in it leaves the article as due as it was.
    """
    with index.exclusively():
        due = Article.objects.to_compare().filter(COMPARABLE, pk=article_id)
        if not due.update(compare_at=None):
            return False
        place([article_id])
    return True


def place(articles: Sequence[int], *, among_earlier: bool = False) -> Placed:
    """Sign articles, find what is like them, and put each into the story of its main article or into none.

    With `among_earlier` an article is compared with lower numbers only: so all of them can be placed anew in order.
    """
    chosen = sorted(articles)
    with index.exclusively():
        texts = Texts()
        index.write(_signatures(chosen, texts))
        index.settle()
        plan = _plan(chosen, texts, among_earlier=among_earlier)
        _write(plan)
        Article.objects.filter(pk__in=chosen, compare_at__isnull=False).update(compare_at=None)
    return Placed(len(chosen), sum(main is not None for main in plan.mains.values()), max(chosen, default=0))


def _signatures(articles: Sequence[int], texts: Texts) -> dict[int, signing.Signed]:
    """The signatures of articles. What many have word by word is boilerplate, which says nothing of the article."""
    signed = dict.fromkeys(articles, signing.UNSIGNED)
    common = _boilerplate(articles)
    for some in _portions([pk for pk in articles if pk not in common], 500):
        read = dict(texts.read(some))
        signed |= zip(read, signing.sign(list(read.values())), strict=True)
    return signed


def _boilerplate(articles: Sequence[int]) -> set[int]:
    hashes = dict(Article.objects.filter(pk__in=articles).exclude(content_hash="").values_list("pk", "content_hash"))
    alike = Article.objects.filter(content_hash__in=set(hashes.values())).order_by().values("content_hash")
    common = alike.annotate(count=Count("pk")).filter(count__gt=MOST_IN_STORY)
    stamps = set(common.values_list("content_hash", flat=True))
    return {pk for pk, content_hash in hashes.items() if content_hash in stamps}


def _portions(articles: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    return (articles[start : start + size] for start in range(0, len(articles), size))


# --- deciding -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Plan:
    """What articles are copies of, by the rows and as was found now; how many copies each main article has; and which
    ones an editor keeps apart.
    """

    before: dict[int, int | None]
    mains: dict[int, int | None] = field(default_factory=dict)
    copies: Counter[int] = field(default_factory=Counter)
    apart: Mapping[int, set[int]] = field(default_factory=dict)

    def main_of(self, article: int) -> int:
        """The article that this one is a copy of, or itself. The main one may have become a copy a moment ago."""
        while (main := (self.mains if article in self.mains else self.before).get(article)) is not None:
            article = main
        return article

    def move(self, article: int, main: int | None) -> None:
        if (was := self.before.get(article)) is not None:
            self.copies[was] -= 1
        if main is not None:
            self.copies[main] += 1
        self.mains[article] = main


def _plan(articles: Sequence[int], texts: Texts, *, among_earlier: bool) -> _Plan:
    found = index.near(articles)
    for pk, others in _short_copies([pk for pk in articles if pk not in found]).items():
        found[pk] = others
    involved = set(articles).union(*found.values())
    before = _duplicates(involved)
    plan = _Plan(before | _duplicates({main for main in before.values() if main is not None} - involved))
    plan.copies.update(_copies({plan.main_of(pk) for pk in involved}))
    settled = set(StoryDecision.objects.filter(article__in=articles).values_list("article", flat=True))
    plan.apart = _apart(articles)
    free = [pk for pk in articles if pk not in settled and (among_earlier or not plan.copies[pk])]
    waiting = set(free)
    for some in _sittings(free, found):
        texts.prepare(pk for one in some if one in found for pk in (one, *map(plan.main_of, found[one])))
        for pk in some:
            waiting.discard(pk)
            near = found.get(pk, ())
            others = [other for other in near if other not in waiting and (other < pk or not among_earlier)]
            plan.move(pk, _best(pk, others, plan, texts))
    return plan


def _sittings(articles: Sequence[int], found: Mapping[int, Sequence[int]]) -> Iterator[list[int]]:
    """The articles in portions of which each has a bounded number of texts to be read."""
    sitting, weight = list[int](), 0
    for pk in articles:
        sitting.append(pk)
        weight += len(found.get(pk, ()))
        if weight >= READ_AT_ONCE:
            yield sitting
            sitting, weight = [], 0
    yield sitting


def _best(article: int, others: Iterable[int], plan: _Plan, texts: Texts) -> int | None:
    """The main article that this one is a copy of; the earliest of several that are equally like it."""
    mains = {plan.main_of(other) for other in others} - {article} - plan.apart.get(article, set())
    alike = [(texts.similarity(article, main), -main) for main in mains]
    similarity, number = max(alike, default=(0.0, 0))
    others_there = plan.copies[-number] - (plan.before.get(article) == -number)
    # What fits a story that is full is boilerplate, and begins no other story.
    return -number if similarity >= THRESHOLD and others_there < MOST_IN_STORY - 1 else None


def _short_copies(articles: Sequence[int]) -> dict[int, list[int]]:
    """For texts that are too short to be signed: those that have the same text and the same title, word by word."""
    fields = ("pk", "content_hash", "title")
    short = Article.objects.filter(pk__in=articles, signature__bands=()).exclude(content_hash="")
    mine = {pk: (content_hash, tuple(words(title))) for pk, content_hash, title in short.values_list(*fields)}
    alike: dict[tuple[str, tuple[str, ...]], list[int]] = defaultdict(list)
    same = Article.objects.filter(content_hash__in={content_hash for content_hash, _title in mine.values()})
    for pk, content_hash, title in same.filter(signature__isnull=False).values_list(*fields):
        alike[content_hash, tuple(words(title))].append(pk)
    return {pk: [other for other in alike[key] if other != pk] for pk, key in mine.items()}


# --- writing --------------------------------------------------------------------------------------------------------


def _write(plan: _Plan) -> None:
    moved = {pk: main for pk, main in plan.mains.items() if main != plan.before.get(pk)}
    left = [pk for pk in moved if plan.before.get(pk) is not None]
    joined: dict[int, list[int]] = defaultdict(list)
    for pk, main in moved.items():
        if main is not None:
            joined[main].append(pk)
    leave(left)
    join(joined)


def leave(articles: Sequence[int]) -> None:
    """Take articles out of their stories; a story of which only one article is left is none."""
    if not articles:
        return
    with transaction.atomic():
        rows = Article.objects.filter(pk__in=articles)
        stories = set(rows.exclude(story=None).values_list("story", flat=True))
        rows.update(story=None, duplicate_of=None)
        forget_single(stories)


def forget_single(stories: Iterable[int]) -> None:
    """Delete those of the stories that tell of one article or of none."""
    single = Story.objects.filter(pk__in=list(stories)).annotate(count=Count("articles")).filter(count__lt=2)
    numbers = list(single.values_list("pk", flat=True))
    Article.objects.filter(story__in=numbers).update(story=None, duplicate_of=None)
    Story.objects.filter(pk__in=numbers).delete()


def join(joined: Mapping[int, Sequence[int]]) -> None:
    """Make articles copies of main articles, which get a story where they have none yet."""
    if not joined:
        return
    with transaction.atomic():
        stories = dict(Article.objects.filter(pk__in=joined).values_list("pk", "story"))
        new = [pk for pk, story in sorted(stories.items()) if story is None]
        made = Story.objects.bulk_create(Story() for _pk in new)
        stories |= {pk: story.pk for pk, story in zip(new, made, strict=True)}
        rows: list[tuple[int | None, int | None, int]] = [(stories[pk], None, pk) for pk in new]
        rows += [(stories[main], main, pk) for main, copies in sorted(joined.items()) for pk in copies]
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE articles_article SET story_id = %s, duplicate_of_id = %s WHERE id = %s", rows)


def _apart(articles: Sequence[int]) -> dict[int, set[int]]:
    """Which articles an editor has taken away from these: the two don't meet again from the other side."""
    apart: dict[int, set[int]] = defaultdict(set)
    split = StoryDecision.objects.filter(verb=StoryDecision.Verb.SPLIT, main__in=articles)
    for main, article in split.values_list("main", "article"):
        apart[main].add(article)
    return apart


def _duplicates(articles: Iterable[int]) -> dict[int, int | None]:
    """What articles are copies of, by their rows; None for those that are of none."""
    return dict(Article.objects.filter(pk__in=list(articles)).values_list("pk", "duplicate_of"))


def _copies(mains: Iterable[int]) -> dict[int, int]:
    """How many copies main articles have."""
    counted = Article.objects.filter(duplicate_of__in=list(mains)).order_by().values("duplicate_of")
    pairs = counted.annotate(count=Count("pk")).values_list("duplicate_of", "count")
    return {main: count for main, count in pairs if main is not None}
