"""What editors decide of stories: merge, split, choose the main article. Each decision is kept and never undone."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext as _

from articles.duplicates import index
from articles.duplicates.placing import forget_single, join, leave
from articles.models import Article, Story, StoryDecision

Verb = StoryDecision.Verb


class StoryError(Exception):
    """The decision was not taken; the text is a sentence for the person who asked, in their language."""


def merge(main_id: int, others: Collection[int], *, by: AbstractBaseUser | None) -> Story:
    """Make articles, and whatever stories they belong to, one story around a main article.

    All of them stay in it, whatever their texts say. Raises StoryError if there are not two of them.
    """
    with index.exclusively():
        found = Article.objects.filter(pk__in={main_id, *others})
        stories = set(found.exclude(story=None).values_list("story", flat=True))
        members = set(found.values_list("pk", flat=True))
        members |= set(Article.objects.filter(story__in=stories).values_list("pk", flat=True))
        if main_id not in members or len(members) < 2:  # noqa: PLR2004  a story tells of two at least
            raise StoryError(_("A story needs two articles that exist."))
        _gather(main_id, members - {main_id})
        forget_single(stories)
        _note(Verb.MERGED, members, main_id, by)
        return _story_of(main_id)


def choose_main(article_id: int, *, by: AbstractBaseUser | None) -> Story:
    """Make an article the one that the others of its story are copies of. Raises StoryError if it has no story."""
    with index.exclusively():
        story = _story_of(article_id)
        others = set(story.articles.exclude(pk=article_id).values_list("pk", flat=True))
        _gather(article_id, others)
        _note(Verb.MERGED, others, article_id, by)
        _note(Verb.MAIN, {article_id}, article_id, by)
        return story


def split(article_id: int, *, by: AbstractBaseUser | None) -> None:
    """Take an article out of its story for good; of its main one, the earliest copy takes the place.

    Raises StoryError if it has no story.
    """
    with index.exclusively():
        main, heirs = _take_out(article_id, _story_of(article_id))
        if len(heirs) > 1:
            _note(Verb.MERGED, heirs, main, by)
        _note(Verb.SPLIT, {article_id}, main, by)


def let_go(*, instance: Article, **signal: Any) -> None:
    """Take an article of our own database that is about to be deleted out of its story; a receiver of `pre_delete`.

    Otherwise all copies of a main article would lead their story at once, which the database forbids.
    """
    with index.exclusively():
        if story := Story.objects.filter(articles=instance.pk).first():
            _take_out(instance.pk, story)


def _take_out(article_id: int, story: Story) -> tuple[int | None, list[int]]:
    """Take an article out of its story: who is the main one then, and of whom if that is another one than before.

    Of a story's main article the earliest copy takes the place.
    """
    others = list(story.articles.exclude(pk=article_id).order_by("pk").values_list("pk", "duplicate_of"))
    main = next((pk for pk, duplicate_of in others if duplicate_of is None), None)
    heirs = [] if main else [pk for pk, _main in others]
    if heirs:
        main = heirs[0]
        _gather(main, {article_id, *heirs[1:]})
    leave([article_id])
    return main, heirs


def _story_of(article_id: int) -> Story:
    story = Story.objects.filter(articles=article_id).first()
    if story is None:
        raise StoryError(_("This article belongs to no story any more."))
    return story


def _gather(main_id: int, copies: Collection[int]) -> None:
    """Make articles copies of the main one, in its own story if it has one. A story never has two main articles."""
    join({main_id: sorted(copies)})
    Article.objects.filter(pk=main_id).update(duplicate_of=None)


def _note(
    verb: StoryDecision.Verb, articles: Collection[int], main_id: int | None, by: AbstractBaseUser | None
) -> None:
    StoryDecision.objects.bulk_create(
        StoryDecision(article_id=pk, verb=verb, main_id=main_id, decided_by_id=by.pk if by else None)
        for pk in sorted(articles)
    )
