"""Each new article is compared with all others before it goes on, and put into a story with what it is a copy of."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from articles import tasks
from articles.duplicates import index, place_due, placing
from articles.duplicates.placing import place
from articles.duplicates.texts import Texts
from articles.models import Article, Signature, Story
from articles.storing import fingerprint
from articles.summarise import summarise_article
from tests.articles.duplicate_pairs import pairs, score
from tests.articles.invented_news import revised, text
from tests.factories import ArticleFactory
from usage.models import ApiUsageEvent

pytestmark = pytest.mark.django_db


def news(content: str, **fields: Any) -> Article:
    """An article whose text is to be compared."""
    stamps = {"content_hash": fingerprint(content), "compare_at": timezone.now()}
    article: Article = ArticleFactory.create(content=content, **stamps | fields)
    return article


def placed(content: str, **fields: Any) -> Article:
    article = news(content, **fields)
    assert place_due(article.pk)
    article.refresh_from_db()
    return article


def test_a_revision_is_a_copy_of_the_article_that_was_there_first() -> None:
    first = placed(text(1))
    copy = placed(revised(text(1)))

    first.refresh_from_db()
    assert copy.duplicate_of == first
    assert copy.story == first.story is not None


def test_copies_are_found_across_sources_and_years() -> None:
    first = placed(text(1), published_at=timezone.now().replace(year=2007, day=1))

    assert placed(text(1), source__slug="another").duplicate_of == first


def test_other_news_belong_to_no_story() -> None:
    placed(text(1))

    assert placed(text(2)).story is None
    assert not Story.objects.exists()


def test_a_third_copy_joins_the_story_of_the_first() -> None:
    first, _second = placed(text(1)), placed(revised(text(1), seed=1))

    third = placed(revised(text(1), seed=2))

    assert third.duplicate_of == first
    assert Story.objects.get().articles.count() == 3


def test_stories_do_not_grow_along_chains() -> None:
    placed(text(1))
    middle = placed(revised(text(1), kept=0.6, seed=1))
    beginning_lost = " ".join([text(5, 30), *middle.content.split()[15:]])

    far = placed(beginning_lost)

    assert middle.story is not None
    assert Texts().similarity(far.pk, middle.pk) >= placing.THRESHOLD
    assert far.story is None


def test_a_story_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "MOST_IN_STORY", 3)

    articles = [placed(revised(text(1), seed=seed)) for seed in range(6)]

    assert [article.story_id is not None for article in articles] == [False, True, True, False, False, False]
    assert Story.objects.get().articles.count() == 3


def test_what_many_have_word_by_word_is_boilerplate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "MOST_IN_STORY", 3)

    place([news(text(1)).pk for _number in range(5)])

    assert not Story.objects.exists()


def test_short_texts_are_copies_only_word_by_word_and_with_their_titles() -> None:
    first = placed("Порт закрыт из-за шторма.", title="Шторм закрыл порт")

    assert placed("Порт закрыт из-за шторма.", title="Шторм закрыл порт!").duplicate_of == first
    assert placed("Порт закрыт из-за шторма.", title="В порту шторм").story is None
    assert placed("Порт закрыт из-за ветра.", title="Шторм закрыл порт").story is None


def test_a_text_that_has_changed_leaves_its_story() -> None:
    placed(text(1))
    copy = placed(text(1))

    Article.objects.filter(pk=copy.pk).update(content=text(2), content_hash="", compare_at=timezone.now())
    place_due(copy.pk)

    assert Article.objects.filter(story=None, duplicate_of=None).count() == 2
    assert not Story.objects.exists()


def test_an_article_is_compared_once() -> None:
    article = placed(text(1))

    assert not place_due(article.pk)
    assert not place_due(article.pk + 1)
    assert Signature.objects.count() == 1


def test_an_article_without_its_text_is_not_compared() -> None:
    assert not place_due(news("", status=Article.Status.NEW).pk)


def test_a_step_that_is_killed_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first, copy = placed(text(1)), news(text(1))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(placing, "_write", interrupted)
        place_due(copy.pk)

    assert place_due(copy.pk)

    copy.refresh_from_db()
    assert copy.duplicate_of == first


def interrupted(*_args: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.django_db(transaction=True)
def test_of_two_copies_that_come_at_once_one_sees_the_other() -> None:
    copies = [news(text(number)).pk for number in range(5) for _twice in range(2)]

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(placed_in_a_thread, copies))

    assert Story.objects.count() == 5
    assert Article.objects.filter(duplicate_of__isnull=False).count() == 5


def placed_in_a_thread(article_id: int) -> bool:
    try:
        return place_due(article_id)
    finally:
        connection.close()


def test_the_sweeper_rings_for_what_is_to_be_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    article = news(text(1), status=Article.Status.STORED)

    tasks.ring_due()

    article.refresh_from_db()
    assert article.compare_at is None
    assert Signature.objects.filter(article=article).exists()


# --- summaries --------------------------------------------------------------------------------------------------------


def ready(content: str) -> Article:
    return news(content, summary_text="", status=Article.Status.READY, next_step_at=timezone.now())


def test_a_copy_takes_over_the_summary_and_nothing_is_paid() -> None:
    content = "Порт увеличил перевалку угля на 12%. Рост обеспечил новый терминал. " + text(1)
    placed(content, summary_text="Порт увеличил перевалку угля на 12%.")
    copy = ready(content + " Добавим.")

    assert summarise_article(copy.pk)

    copy.refresh_from_db()
    assert copy.summary_text == "Порт увеличил перевалку угля на 12%."
    assert copy.summaries.get().usage_event is None
    assert not ApiUsageEvent.objects.exists()


def test_a_copy_that_says_something_else_gets_its_own_summary() -> None:
    content = "Порт увеличил перевалку угля на 12%. Рост обеспечил новый терминал. " + text(1)
    main = placed(content, summary_text="Порт увеличил перевалку угля на 12%.")
    copy = ready(content.replace("12%", "21%"))

    assert summarise_article(copy.pk)

    copy.refresh_from_db()
    assert copy.duplicate_of == main
    assert "21%" in copy.summary_text
    assert ApiUsageEvent.objects.count() == 1


# --- labelled pairs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("half", ["dev", "held-out"])
def test_all_labelled_copies_are_told_and_no_others(half: str) -> None:
    result = score(half)

    assert (result.found, result.false) == (result.copies, 0)


def test_labelled_copies_are_found_by_the_index() -> None:
    copies = [pair for half in ("dev", "held-out") for pair in pairs(half) if pair.is_copy]
    couples = [(news(pair.one).pk, news(pair.other).pk) for pair in copies]
    place([pk for couple in couples for pk in couple])

    near = index.near([one for one, _other in couples])

    assert [other in near[one] for one, other in couples] == [True] * len(couples)


def test_labelled_news_that_are_no_copies_stay_apart() -> None:
    texts = {text for pair in pairs("held-out") if not pair.is_copy for text in (pair.one, pair.other)}

    place([news(text).pk for text in texts])

    assert not Story.objects.exists()


@contextmanager
def more_candidates(limit: int) -> Iterator[None]:
    before, index.MOST_CANDIDATES = index.MOST_CANDIDATES, limit
    yield
    index.MOST_CANDIDATES = before


def test_of_many_candidates_the_newest_are_compared() -> None:
    articles = [news(revised(text(1), kept=0.9, seed=seed)).pk for seed in range(8)]
    place(articles)

    with more_candidates(3):
        assert set(index.near(articles[:1])[articles[0]]) == set(articles[-3:])


def story_of_three() -> list[Article]:
    return [placed(text(1)), placed(revised(text(1))), placed(revised(text(1)))]


def test_of_a_main_article_that_is_deleted_the_earliest_copy_takes_the_place() -> None:
    main, second, third = story_of_three()

    main.delete()

    second.refresh_from_db()
    third.refresh_from_db()
    assert second.duplicate_of is None
    assert (third.duplicate_of, third.story) == (second, second.story)


def test_a_story_ends_with_its_second_last_article() -> None:
    *others, last = story_of_three()

    Article.objects.filter(pk__in=[other.pk for other in others]).delete()

    last.refresh_from_db()
    assert (last.story, last.duplicate_of) == (None, None)
    assert not Story.objects.exists()
