"""The ledger in the admin: readable, and written by nobody there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.paginator import Paginator
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from articles.models import Article
from tests.factories import ArticleFactory, PublicationFactory, SourceFactory, UserFactory
from tests.people import signed_in
from usage import listing
from usage.admin import dollars
from usage.models import ApiUsageDaily, ApiUsageEvent, Provider

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("amount", "written"),
    [(Decimal("1.84"), "$1,84"), (Decimal("0.0004"), "$0,0004"), (Decimal(0), "$0,00"), (None, "—")],
)
def test_money_is_written_for_people(amount: Decimal | None, written: str) -> None:
    assert dollars(amount) == written


def test_the_ledger_can_be_read_but_not_changed_even_by_an_administrator() -> None:
    event = ApiUsageEvent.objects.create(provider="extractive", purpose="summary", state="succeeded")
    address = reverse("admin:usage_apiusageevent_change", args=[event.pk])
    client = Client()
    client.force_login(UserFactory(is_superuser=True))

    read = client.get(address)
    written = client.post(address, {"provider": "other"})

    assert read.status_code == 200
    assert written.status_code == 403


def test_a_provider_shows_what_it_has_cost_today() -> None:
    Provider.objects.create(name="mistral", daily_budget=5)
    today = timezone.now().date()
    ApiUsageDaily.objects.create(day=today, provider="mistral", model="a", cost_usd=Decimal("1.25"))
    ApiUsageDaily.objects.create(day=today, provider="mistral", model="b", cost_usd=Decimal("0.50"))

    page = signed_in("operator").get("/admin/usage/provider/").content.decode()

    assert "$1,75" in page


def test_the_list_of_calls_costs_the_same_whatever_its_length(
    django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    operator = signed_in("operator")
    ApiUsageEvent.objects.create(provider="extractive")
    with django_assert_max_num_queries(16) as few:
        operator.get("/admin/usage/apiusageevent/")
    ApiUsageEvent.objects.bulk_create(ApiUsageEvent(provider="extractive") for _ in range(30))

    with django_assert_num_queries(len(few)):
        operator.get("/admin/usage/apiusageevent/")


def test_calls_are_found_by_what_they_were_for() -> None:
    ApiUsageEvent.objects.create(provider="right", subject="article:42")
    ApiUsageEvent.objects.create(provider="wrong", subject="article:421")

    page = signed_in("operator").get("/admin/usage/apiusageevent/", {"q": "article:42"}).content.decode()

    assert "right" in page
    assert "wrong" not in page


def test_letters_where_a_number_is_searched_find_nothing() -> None:
    PublicationFactory(title="Порт")

    answer = signed_in("editor").get("/admin/publishing/publication/", {"q": "порт"})

    assert answer.status_code == 200
    assert "Под поиск и фильтры здесь ничего не подходит." in answer.content.decode()


def test_a_short_table_is_counted_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "COUNTED", 5)
    ArticleFactory.create_batch(5, source=SourceFactory())

    pages: Paginator[Any] = listing.EstimatedPaginator(Article.objects.all(), 2)

    assert (pages.count, pages.is_exact) == (5, True)  # type: ignore[attr-defined]


def test_a_long_list_is_not_read_to_be_counted_but_its_end_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "COUNTED", 3)
    ArticleFactory.create_batch(8, source=SourceFactory())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE articles_article")

    pages = listing.EstimatedPaginator(Article.objects.filter(pk__gt=0).order_by("pk"), 2)

    assert (pages.count, pages.num_pages) == (8, 4)


def test_a_list_that_cannot_be_counted_in_time_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "COUNTED", 5)
    monkeypatch.setattr(listing, "COUNTING_SECONDS", -1)
    monkeypatch.setattr(listing, "STEPS", 1)
    ArticleFactory.create_batch(8, source=SourceFactory())

    pages = listing.EstimatedPaginator(Article.objects.filter(pk__gt=0), 2)

    assert (pages.count > 5, pages.is_exact) == (True, False)


def test_a_deep_page_has_the_rows_it_would_have_anyway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "DEEP", 4)
    rows = ArticleFactory.create_batch(9, source=SourceFactory())

    page = listing.EstimatedPaginator(Article.objects.order_by("-pk"), 2).page(3)

    assert list(page) == [rows[4], rows[3]]


@pytest.mark.parametrize("number", range(1, 6))
def test_pages_that_are_reached_from_the_end_follow_each_other(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(listing, "DEEP", 1)
    rows = ArticleFactory.create_batch(9, source=SourceFactory())

    page = listing.EstimatedPaginator(Article.objects.order_by("-pk"), 2).page(number)

    assert list(page) == rows[::-1][2 * number - 2 : 2 * number]


def test_the_last_page_has_the_last_rows_although_the_count_is_an_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "DEEP", 1)
    monkeypatch.setattr(listing, "COUNTED", 1)
    monkeypatch.setattr(listing, "estimated_count", lambda _queryset: 7)
    rows = ArticleFactory.create_batch(9, source=SourceFactory())

    page = listing.EstimatedPaginator(Article.objects.order_by("pk"), 2).page(4)

    assert list(page) == [rows[-1]]


def test_a_count_that_is_only_the_least_never_leads_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "DEEP", 1)
    monkeypatch.setattr(listing, "COUNTED", 3)
    monkeypatch.setattr(listing, "estimated_count", lambda _queryset: None)
    monkeypatch.setattr(listing, "counted_in_time", lambda _queryset: None)
    rows = ArticleFactory.create_batch(9, source=SourceFactory())

    page = listing.EstimatedPaginator(Article.objects.order_by("pk"), 1).page(4)

    assert list(page) == [rows[3]]


def test_counting_stops_at_its_cap() -> None:
    ArticleFactory.create_batch(8, source=SourceFactory())

    assert listing.capped_count(Article.objects.all(), 5) == 6


def test_the_planner_knows_how_long_a_table_is_where_it_keeps_statistics() -> None:
    ArticleFactory.create_batch(3, source=SourceFactory())

    rows = listing.estimated_rows(Article, "default")

    assert rows is None or rows >= 0
