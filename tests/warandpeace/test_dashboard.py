"""The dashboard: every figure is counted from rows, and leads to them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from publishing import approval
from publishing.models import Message, Publication
from tests.factories import ArticleFactory, PublicationFactory, SourceFactory
from tests.people import signed_in
from usage.models import ApiUsageDaily, Provider
from warandpeace.charts import HourlyChart
from warandpeace.dashboard import Light, Tile
from warandpeace.models import Heartbeat

pytestmark = pytest.mark.django_db


def tile(label: str, role: str = "publisher") -> Tile:
    """The tile of this label, as somebody of the role sees it."""
    tiles: list[Tile] = signed_in(role).get("/admin/").context["tiles"]
    return next(found for found in tiles if found.label == label)


def background_work() -> Light:
    lights: list[Light] = signed_in("operator").get("/admin/").context["lights"]
    return lights[0]


def test_an_empty_newsroom_says_what_will_appear() -> None:
    page = signed_in("publisher").get("/admin/").content.decode()

    assert "Сегодняшних статей ещё нет." in page
    assert "Ни один источник не читается." in page
    assert "никто не ждёт" in page


def test_what_awaits_a_decision_is_counted_with_the_age_of_the_oldest() -> None:
    oldest, *_others = PublicationFactory.create_batch(3)
    Publication.objects.filter(pk=oldest.pk).update(created_at=timezone.now() - timedelta(minutes=42))

    awaiting = tile("Ждут решения")

    assert (awaiting.figure, awaiting.note) == ("3", "старшая 42\xa0минуты")
    assert awaiting.url == "/admin/publishing/pendingpublication/"


def test_what_went_out_today_stands_beside_todays_articles() -> None:
    yesterday = timezone.now() - timedelta(days=1)
    PublicationFactory(state="published", published_at=timezone.now(), article__published_at=timezone.now())
    PublicationFactory(state="published", published_at=yesterday, article__published_at=yesterday)

    out = tile("Вышло сегодня")

    assert (out.figure, out.note) == ("1", "из 1 статьи")


def test_a_message_that_needs_a_person_raises_the_alarm() -> None:
    publication = PublicationFactory()
    approval.approve(publication.pk, by=None)
    publication.messages.update(state=Message.State.UNKNOWN)

    needs = tile("Нужен человек")

    assert (needs.figure, needs.alarm) == ("1", True)


def test_nothing_to_worry_about_raises_none() -> None:
    assert not tile("Нужен человек").alarm


def test_spending_is_shown_against_the_budget() -> None:
    Provider.objects.update(daily_budget=None)
    Provider.objects.create(name="mistral", daily_budget=5)
    ApiUsageDaily.objects.create(day=timezone.now().date(), provider="mistral", cost_usd=Decimal("1.25"))

    spent = tile("Расход за сутки (UTC)", role="operator")

    assert (spent.figure, spent.note, spent.meter) == ("$1,25", "из $5,00", 25)


def test_money_is_not_shown_to_editors() -> None:
    tiles = signed_in("editor").get("/admin/").context["tiles"]

    assert "Расход за сутки (UTC)" not in {found.label for found in tiles}


def test_sources_that_fail_come_first() -> None:
    SourceFactory(name="Бодрый", last_success_at=timezone.now())
    SourceFactory(name="Больной", consecutive_failures=2)

    rows = signed_in("editor").get("/admin/").context["sources"]

    assert [(row["source"].name, row["health"].tone) for row in rows] == [("Больной", "danger"), ("Бодрый", "success")]


def test_background_work_that_stopped_is_red() -> None:
    Heartbeat.objects.create(name="sweeper", beat_at=timezone.now() - timedelta(minutes=10))

    light = background_work()

    assert (light.tone, light.status) == ("danger", "10\xa0минут назад")


def test_background_work_that_goes_on_is_green() -> None:
    Heartbeat.beat("sweeper")

    assert background_work().tone == "success"


def test_the_dashboard_costs_the_same_whatever_there_is(
    django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    publisher, source = signed_in("publisher"), SourceFactory()
    PublicationFactory(article__source=source)
    with django_assert_max_num_queries(30) as few:
        publisher.get("/admin/")
    ArticleFactory.create_batch(10, source=source)
    PublicationFactory.create_batch(10, article__source=source)

    with django_assert_num_queries(len(few)):
        publisher.get("/admin/")


def test_the_tallest_bar_fills_the_chart_and_the_others_follow() -> None:
    chart = HourlyChart(articles={0: 4, 6: 2}, publications={6: 1})

    tallest, half = chart.bars()

    assert tallest.height == pytest.approx(2 * half.height)
    assert tallest.y + tallest.height == pytest.approx(chart.height)


def test_an_empty_chart_has_no_height() -> None:
    chart = HourlyChart(articles={}, publications={})

    assert (chart.highest, chart.bars(), chart.line()) == (0, [], "")
