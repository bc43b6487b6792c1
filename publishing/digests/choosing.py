"""What a digest is made of: a period's articles by story, or the digests of shorter periods, best first."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from django.db.models import Exists, OuterRef, Q, QuerySet

from articles.models import Article
from publishing.digests.periods import Kind, Period, days, month
from publishing.models import Channel, Digest, DigestItem, DigestSection, Publication
from publishing.reactions import totals

# The articles of a period that are looked at, those that were posted first.
MOST_ARTICLES = 400
# Stories that an editor is shown, and how many of them a digest begins with.
MOST_STORIES = 40
SECTIONS = {Kind.DAILY: 8, Kind.WEEKLY: 10}
# What a longer period is made of, and how many articles stand for a part of it that has no digest.
PARTS = {Kind.MONTHLY: Kind.DAILY, Kind.ANNUAL: Kind.MONTHLY}
STAND_INS = {Kind.MONTHLY: 3, Kind.ANNUAL: 20}

State = Publication.State
REFUSED = (State.REJECTED, State.DELETED)


@dataclass(frozen=True, slots=True)
class Source:
    """What one section is to stand on. `heading` is the section's own until an editor writes another."""

    heading: str
    articles: tuple[Article, ...] = ()
    parts: tuple[Digest, ...] = ()
    is_included: bool = True
    is_pinned: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """Articles that tell of one thing, the one to name it by first, and what speaks for it."""

    articles: tuple[Article, ...]
    is_pinned: bool = False
    is_dropped: bool = False
    is_posted: bool = False
    reactions: int = 0


def choose(channel: Channel, period: Period) -> list[Source]:
    """What the sections of a channel's digest of a period stand on, in order; none if there is nothing to tell."""
    if period.kind in PARTS:
        return [source for source in _stretches(channel, period) if source.articles or source.parts]
    ranked = sorted(stories(channel, period), key=rank, reverse=True)[:MOST_STORIES]
    # What was taken out goes behind what may yet be taken in.
    kept = sorted(ranked, key=lambda story: story.is_dropped)
    most = min(SECTIONS[period.kind], sum(not story.is_dropped for story in kept))
    return [
        Source(story.articles[0].title[:300], story.articles, is_included=place < most, is_pinned=story.is_pinned)
        for place, story in enumerate(kept)
    ]


def rank(story: Story) -> tuple[bool, bool, int, int, float]:
    """What a digest begins with: what editors pinned, then what the channel posted, its readers' reactions, the size of
    the story, and what came last.
    """
    newest = max(article.published_at for article in story.articles)
    return story.is_pinned, story.is_posted, story.reactions, len(story.articles), newest.timestamp()


# --- articles -------------------------------------------------------------------------------------------------------


def stories(channel: Channel, period: Period) -> list[Story]:
    """The period's articles by story, as the current version's editors have left them."""
    found = list(articles(channel, period)[:MOST_ARTICLES])
    posted = set(_of(channel, found).filter(state__in=Publication.OUT).values_list("article_id", flat=True))
    pinned, dropped = _marks(channel, period)
    liked = _reactions(channel, posted)
    grouped: dict[int, list[Article]] = defaultdict(list)
    for article in found:
        grouped[article.story_id or -article.pk].append(article)
    return [_story(members, posted, pinned, dropped, liked) for members in grouped.values()]


def articles(channel: Channel, period: Period) -> QuerySet[Article]:
    """The articles of a period with a summary, of the channel's sources or queued there, what it posted first."""
    begin, end = period.bounds(channel.zone)
    here = Publication.objects.filter(channel=channel, article=OuterRef("pk"), kind=Publication.Kind.NEWS)
    return (
        Article.objects.filter(published_at__gte=begin, published_at__lt=end)
        .exclude(summary_text="")
        .annotate(is_posted=Exists(here.filter(state__in=Publication.OUT)))
        .filter(Q(source__in=channel.sources.values("pk")) | Exists(here))
        .exclude(Exists(here.filter(state__in=REFUSED)))
        .defer("content", "lead")
        .order_by("-is_posted", "-published_at", "-pk")
    )


def _of(channel: Channel, found: Sequence[Article]) -> QuerySet[Publication]:
    return Publication.objects.filter(channel=channel, article__in=found, kind=Publication.Kind.NEWS)


def _reactions(channel: Channel, posted: Collection[int]) -> Mapping[int, int]:
    """How often readers reacted to the posts of articles, as far as Telegram has told."""
    publications = Publication.objects.filter(channel=channel, article__in=posted).only("article")
    counted, liked = totals(publications), Counter[int]()
    for publication in publications:
        liked[publication.article_id or 0] += counted.get(publication.pk, Counter()).total()
    return liked


def _story(
    members: list[Article], posted: set[int], pinned: set[int], dropped: set[int], liked: Mapping[int, int]
) -> Story:
    numbers = {article.pk for article in members}
    # The post that readers know comes first, then the original, then copies.
    ordered = sorted(members, key=lambda one: (one.pk not in posted, one.duplicate_of_id is not None, one.published_at))
    return Story(
        tuple(ordered),
        is_pinned=bool(numbers & pinned),
        is_dropped=bool(numbers & dropped) and not numbers & pinned,
        is_posted=bool(numbers & posted),
        reactions=sum(liked.get(pk, 0) for pk in numbers),
    )


def _marks(channel: Channel, period: Period) -> tuple[set[int], set[int]]:
    """Articles that editors pinned, and those of stories they took out, in the current version."""
    items = DigestItem.objects.filter(
        digest__channel=channel, digest__period=period.kind, digest__period_start=period.start, digest__is_current=True
    ).filter(article__isnull=False)
    pinned = items.filter(section__is_pinned=True).values_list("article", flat=True)
    # What was written and is out again was taken out by a person.
    taken_out = items.filter(section__is_included=False).exclude(section__text="").values_list("article", flat=True)
    return {pk for pk in pinned if pk}, {pk for pk in taken_out if pk}


# --- longer periods -------------------------------------------------------------------------------------------------


def _stretches(channel: Channel, period: Period) -> Iterator[Source]:
    """A month by its weeks from the first on, a year by its months."""
    below = list(period.within(PARTS[period.kind]))
    known = _digests(channel, below)
    for heading, stretch in _by_stretch(period, below, channel.language):
        found = tuple(known[part.start] for part in stretch if part.start in known)
        missing = [part for part in stretch if part.start not in known]
        yield Source(heading, _stand_ins(channel, missing, STAND_INS[period.kind]), found)


def _by_stretch(period: Period, below: list[Period], language: str) -> Iterator[tuple[str, list[Period]]]:
    if period.kind == Kind.ANNUAL:
        yield from ((month(part.start, language), [part]) for part in below)
        return
    # Four weeks; the last one takes the days that are left over.
    edges = [0, 7, 14, 21, len(below)]
    for first, last in pairwise(edges):
        stretch = below[first:last]
        yield days(stretch[0].start, stretch[-1].end, language), stretch


def _digests(channel: Channel, below: list[Period]) -> Mapping[date, Digest]:
    current = Digest.objects.filter(
        channel=channel,
        period=below[0].kind,
        period_start__range=(below[0].start, below[-1].start),
        is_current=True,
        state=Digest.State.READY,
    ).exclude(text="")
    return {digest.period_start: digest for digest in current}


def _stand_ins(channel: Channel, missing: list[Period], most: int) -> tuple[Article, ...]:
    """The best articles of periods that have no digest, in their order."""
    chosen = (sorted(stories(channel, period), key=rank, reverse=True)[:most] for period in missing)
    return tuple(story.articles[0] for best in chosen for story in best)


# --- what a section stands on ---------------------------------------------------------------------------------------


def texts(section: DigestSection) -> list[str]:
    """What a section is written of, item by item, without what an editor has left aside."""
    items = section.items.filter(is_dropped=False).select_related("article", "part").order_by("position")
    return [text for item in items if (text := _text(item))]


def _text(item: DigestItem) -> str:
    if item.article:
        return item.article.summary_text or item.article.lead
    assert item.part is not None  # noqa: S101  a constraint of the table says so
    told = item.part.sections.filter(is_included=True).exclude(text="").values_list("text", flat=True)
    return "\n\n".join(told) or item.part.text
