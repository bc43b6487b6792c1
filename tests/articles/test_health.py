"""The health of sources: what is usual for each, what is wrong, and where one looks further."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from articles import pulse
from articles.models import BackfillRun, DeadLetter, Source
from tests.factories import ArticleFactory, SourceFactory
from tests.people import signed_in
from usage.models import Alert

pytestmark = pytest.mark.django_db

PAGE = "/admin/articles/source/health/"


@pytest.fixture
def operator() -> Client:
    return signed_in("operator")


def brought(source: Source, count: int, *, every: timedelta, last: timedelta = timedelta()) -> None:
    now = timezone.now()
    for number in range(count):
        ArticleFactory(source=source, published_at=now - last - every * number)


def rows(client: Client, **query: str) -> list[Any]:
    found: list[Any] = client.get(PAGE, query).context["rows"]
    return found


def test_a_source_is_late_by_its_own_measure() -> None:
    brisk, slow = SourceFactory(), SourceFactory()
    brought(brisk, 51, every=timedelta(minutes=10), last=timedelta(hours=5))
    brought(slow, 51, every=timedelta(hours=8), last=timedelta(hours=5))

    found = {source.pk: pulse.pulse_of(source) for source in pulse.with_pulse(Source.objects.all())}

    assert found[brisk.pk].pause == timedelta(minutes=10)
    assert found[brisk.pk].is_late(timezone.now())
    assert not found[slow.pk].is_late(timezone.now())


def test_a_source_with_few_articles_has_no_usual_pause() -> None:
    brought(SourceFactory(), 3, every=timedelta(minutes=1), last=timedelta(days=9))

    (source,) = pulse.with_pulse(Source.objects.all())

    assert pulse.pulse_of(source).pause is None
    assert not pulse.pulse_of(source).is_late(timezone.now())


def test_days_are_counted_with_the_median_of_those_that_are_over() -> None:
    source = SourceFactory()
    noon = timezone.localtime().replace(hour=12)
    for ago, count in ((0, 1), (1, 4), (2, 4), (40, 9)):
        ArticleFactory.create_batch(count, source=source, published_at=noon - timedelta(days=ago))

    days = pulse.days_of([source])[source.pk]

    assert (days.today, days.counts[-3:], sum(days.counts)) == (1, (4, 4, 1), 9)
    assert days.usual == 0


def test_dead_letters_belong_to_a_source_by_article_or_server(operator: Client) -> None:
    mine, other = SourceFactory(url="https://mine.example/feed"), SourceFactory(url="https://other.example/feed")
    DeadLetter.record("summary", str(ArticleFactory(source=mine).pk), "x", "", 1)
    DeadLetter.record("page", "https://mine.example/1", "x", "", 1)
    DeadLetter.record("page", "https://elsewhere.example/1", "x", "", 1)

    found = {row.source.pk: row.letters for row in rows(operator)}
    listed = operator.get("/admin/articles/deadletter/", {"source": mine.pk}).context["cl"].result_list

    assert found == {mine.pk: 2, other.pk: 0}
    assert len(listed) == 2


def test_those_that_need_attention_come_first_and_are_counted(operator: Client) -> None:
    now = timezone.now()
    SourceFactory(name="Б", last_success_at=now)
    SourceFactory(name="В", slug="rotten", last_success_at=now)
    SourceFactory(name="Г", consecutive_failures=1)
    SourceFactory(name="А", is_active=False)
    Alert.sound("selectors", "rotten/article", "В: На её страницах нет текста.")

    page = operator.get(PAGE)

    assert [row.source.name for row in page.context["rows"]] == ["В", "Г", "Б", "А"]
    assert [count for _name, _label, count in page.context["tabs"]] == [4, 2, 1, 1]
    assert page.context["rows"][0].alerts == ("На её страницах нет текста.",)
    assert [row.source.name for row in rows(operator, show="off")] == ["А"]


def test_an_archive_that_is_read_is_counted(operator: Client) -> None:
    run = {"date_from": "2020-01-01", "date_to": "2020-01-02"}
    BackfillRun.objects.create(source=SourceFactory(), state=BackfillRun.State.RUNNING, **run)

    assert [row.backfills for row in rows(operator)] == [1]


def test_a_day_of_the_sparkline_leads_to_its_articles(operator: Client) -> None:
    source = SourceFactory()
    yesterday = timezone.localtime().replace(hour=12) - timedelta(days=1)
    mine, _other = ArticleFactory(source=source, published_at=yesterday), ArticleFactory(published_at=yesterday)
    (row,) = (row for row in rows(operator) if row.source == source)

    listed = operator.get(row.chart.bars[-2].column.url).context["cl"].result_list

    assert [article.pk for article in listed] == [mine.pk]


def test_no_source_at_all_says_how_to_get_one(operator: Client) -> None:
    Source.objects.all().delete()

    assert "Источников ещё нет." in operator.get(PAGE).content.decode()


def test_letters_and_archives_are_not_counted_for_who_may_not_see_them() -> None:
    source = SourceFactory(url="https://mine.example/feed")
    DeadLetter.record("page", "https://mine.example/1", "x", "", 1)

    (row,) = rows(signed_in("viewer"))

    assert (row.source, row.letters) == (source, 0)


def test_the_page_costs_the_same_whatever_there_is(
    operator: Client, django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    ArticleFactory()
    with django_assert_max_num_queries(26) as few:
        operator.get(PAGE)
    for source in SourceFactory.create_batch(6):
        ArticleFactory.create_batch(3, source=source)

    with django_assert_num_queries(len(few)):
        operator.get(PAGE)
