"""All articles compared with one another, by the command, and what editors have decided of them."""

from __future__ import annotations

import os
import signal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from articles.duplicates import deciding, placing, rebuild, rebuilding
from articles.duplicates.deciding import StoryError, choose_main, merge, split
from articles.models import Article, Signature, Story, StoryDecision
from articles.storing import fingerprint
from tests.articles.invented_news import revised, text
from tests.factories import ArticleFactory, SourceFactory

pytestmark = pytest.mark.django_db


def loaded(*contents: str, **fields: Any) -> list[Article]:
    """Articles as a transfer brings them: not compared, and not due for it."""
    source = SourceFactory.create()
    return [
        ArticleFactory.create(**{"source": source, "content": each, "content_hash": fingerprint(each)} | fields)
        for each in contents
    ]


def copies(count: int = 3) -> list[Article]:
    """An article, its copies, and one that is none."""
    return loaded(text(1), *(revised(text(1), seed=seed) for seed in range(1, count)), text(2))


def state() -> list[tuple[int, int | None]]:
    return list(Article.objects.order_by("pk").values_list("pk", "duplicate_of"))


def run(*arguments: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("duplicates", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "AT_ONCE", 2)


def test_a_rebuild_finds_what_articles_find_one_by_one(small_portions: None) -> None:
    first, *others, alone = copies(4)

    done = rebuild()

    assert (done.articles, done.copies) == (5, 3)
    assert {article.duplicate_of for article in Article.objects.filter(pk__in=[one.pk for one in others])} == {first}
    assert Article.objects.get(pk=alone.pk).story is None


def test_a_rebuild_that_was_killed_goes_on_where_it_was(small_portions: None, monkeypatch: pytest.MonkeyPatch) -> None:
    copies(4)
    write, portions = placing._write, []

    def write_once(plan: Any) -> None:
        portions.append(plan)
        if len(portions) > 1:
            raise KeyboardInterrupt
        write(plan)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(placing, "_write", write_once)
        rebuild()
    assert Signature.objects.count() == 2

    assert rebuild().articles == 3
    assert Article.objects.filter(duplicate_of__isnull=False).count() == 3


def test_a_second_rebuild_has_nothing_to_do() -> None:
    copies()
    rebuild()

    assert rebuild().articles == 0


def test_signatures_of_another_way_are_made_anew() -> None:
    copies()
    rebuild()
    Signature.objects.update(version=1)

    assert rebuild().articles == 4
    assert not Signature.objects.filter(version=1).exists()


def test_everything_anew_comes_to_the_same(small_portions: None) -> None:
    copies(5)
    rebuild()
    before = state()

    assert rebuild(everything=True).articles == 6

    assert state() == before


def test_everything_anew_forgets_what_is_no_longer_so(small_portions: None) -> None:
    _first, copy, *_others = copies(2)
    rebuild()
    Article.objects.filter(pk=copy.pk).update(content=text(3), content_hash="")

    rebuild(everything=True)

    assert not Story.objects.exists()
    assert not Article.objects.exclude(story=None, duplicate_of=None).exists()


def test_everything_anew_puts_the_earliest_article_first(small_portions: None) -> None:
    first, second, third = loaded(text(1), revised(text(1), seed=1), revised(text(1), seed=2))
    placing.place([second.pk])
    placing.place([third.pk])
    placing.place([first.pk])
    assert Article.objects.get(pk=first.pk).duplicate_of == second

    rebuild(everything=True)

    assert state() == [(first.pk, None), (second.pk, first.pk), (third.pk, first.pk)]
    assert Story.objects.count() == 1


def test_a_full_story_stays_as_it_is(small_portions: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "MOST_IN_STORY", 3)
    copies(5)
    rebuild()
    before = state()

    rebuild(everything=True)

    assert state() == before
    assert Story.objects.get().articles.count() == 3


# --- decisions --------------------------------------------------------------------------------------------------------


def test_a_split_is_not_undone_by_a_rebuild() -> None:
    _first, copy, *_others = copies()
    rebuild()

    split(copy.pk, by=None)
    rebuild(everything=True)

    copy.refresh_from_db()
    assert (copy.story, copy.duplicate_of) == (None, None)
    assert Story.objects.get().articles.count() == 2


@pytest.mark.parametrize("count", [2, 4])
def test_a_main_article_that_was_split_off_stays_alone(count: int) -> None:
    first, second, *_others = copies(count)
    rebuild()

    split(first.pk, by=None)
    rebuild(everything=True)

    assert Article.objects.get(pk=first.pk).story is None
    assert Article.objects.get(pk=second.pk).duplicate_of is None
    assert Article.objects.filter(duplicate_of=second).count() == count - 2


def test_a_later_main_article_does_not_join_what_was_split_off() -> None:
    first, second, _alone = copies(2)
    rebuild()
    choose_main(second.pk, by=None)
    StoryDecision.objects.all().delete()

    split(first.pk, by=None)
    rebuild(everything=True)

    assert not Story.objects.exists()


def test_what_was_merged_stays_merged() -> None:
    one, other = loaded(text(1), text(2))
    rebuild()

    merge(one.pk, [other.pk], by=None)
    rebuild(everything=True)

    other.refresh_from_db()
    assert other.duplicate_of == one


def test_merging_two_stories_makes_one() -> None:
    one, _copy = loaded(text(1), revised(text(1)))
    other, _other_copy = loaded(text(2), revised(text(2)))
    rebuild()

    story = merge(other.pk, [one.pk], by=None)

    assert Story.objects.get() == story
    assert story.main == other
    assert Article.objects.filter(duplicate_of=other).count() == 3


def test_another_main_article_leads_for_good() -> None:
    first, second, third, _alone = copies(3)
    rebuild()

    choose_main(third.pk, by=None)
    rebuild(everything=True)

    assert state()[:3] == [(first.pk, third.pk), (second.pk, third.pk), (third.pk, None)]


def test_new_copies_join_the_chosen_main_article() -> None:
    _first, second, *_others = copies(2)
    rebuild()
    choose_main(second.pk, by=None)

    (new,) = loaded(second.content)
    rebuild()

    new.refresh_from_db()
    assert new.duplicate_of == second


def test_a_decision_about_nothing_is_refused() -> None:
    (article,) = loaded(text(1))

    with pytest.raises(StoryError):
        split(article.pk, by=None)
    with pytest.raises(StoryError):
        choose_main(article.pk, by=None)
    with pytest.raises(StoryError):
        merge(article.pk, [article.pk], by=None)
    with pytest.raises(StoryError):
        deciding.merge(article.pk + 1, [article.pk], by=None)


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_report_names_stories_and_sources() -> None:
    SourceFactory.reset_sequence(100)
    first, *_others = copies(3)
    rebuild()
    loaded(text(9))

    lines = run("report").splitlines()

    assert lines[0] == f"story {Story.objects.get().pk}: 3 articles: {first.title}"
    assert lines[1] == "source-100 has 2 after source-100"
    assert lines[-1] == "articles=5 unplaced=1 stories=1 copies=2 decided=0"


def test_the_command_rebuilds() -> None:
    copies(3)

    assert run("rebuild", "--dry-run") == "would_place=4\n"
    assert run("rebuild") == "placed=4 copies=2\n"
    assert run("rebuild") == "placed=0 copies=0\n"
    assert run("rebuild", "--all") == "placed=4 copies=2\n"


def test_a_stopped_rebuild_says_where_to_go_on(small_portions: None, monkeypatch: pytest.MonkeyPatch) -> None:
    articles = copies(4)
    place = placing.place

    def place_and_stop(*args: Any, **options: Any) -> placing.Placed:
        os.kill(os.getpid(), signal.SIGTERM)
        return place(*args, **options)

    with monkeypatch.context() as patch, pytest.raises(CommandError, match=f"--all --after {articles[1].pk}"):
        patch.setattr(rebuilding, "place", place_and_stop)
        run("rebuild", "--all")

    assert run("rebuild", "--all", "--after", str(articles[1].pk)) == "placed=3 copies=2\n"


def test_the_command_merges() -> None:
    one, other = loaded(text(1), text(2))

    assert run("merge", str(one.pk), str(other.pk), "--dry-run").endswith("would_merge=2\n")
    assert not Story.objects.exists()
    assert run("merge", str(one.pk), str(other.pk)).endswith(f"story={Story.objects.get().pk} articles=2\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["merge", "1", "99999999"], "There is no article"),
        (["merge", "0", "1"], "from 1 on"),
        (["merge", "9" * 30, "1"], "is too much"),
        (["rebuild", "--after", "first"], "from 1 on"),
        ([], "required"),
    ],
)
def test_a_wrong_option_says_what_to_do(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*arguments)
