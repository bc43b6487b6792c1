"""What calls cost, by day, provider, model, key and purpose: drawn from the totals of days alone."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from tests.factories import PublicationFactory
from tests.people import signed_in
from usage import overview
from usage.models import ApiUsageDaily, Provider, PurposeBudget, Spending, utc_day
from usage.overview import Span

pytestmark = pytest.mark.django_db

PAGE = "/admin/usage/apiusagedaily/overview/"


@pytest.fixture
def operator() -> Client:
    return signed_in("operator")


@pytest.fixture
def today() -> date:
    return utc_day(timezone.now())


def used(day: date, provider: str = "mistral", model: str = "small", key: str = "ab" * 32, **amounts: Any) -> None:
    usual: dict[str, Any] = {"requests": 10, "successes": 9, "cost_usd": Decimal(1)}
    ApiUsageDaily.add(day, provider, model, key, **usual | amounts)


def test_lines_are_put_together_by_cost(today: date) -> None:
    used(today)
    used(today - timedelta(days=1), key="cd" * 32)
    used(today, provider="gemini", model="flash", cost_usd=Decimal(6))
    used(today - timedelta(days=9), cost_usd=Decimal(50))
    span = Span(today - timedelta(days=6), today)

    by_provider = [(line.values, line.totals.cost_usd, line.part) for line in overview.lines(span, "provider")]

    assert by_provider == [(("gemini",), Decimal(6), 0.75), (("mistral",), Decimal(2), 0.25)]
    assert len(overview.lines(span, "key")) == 3
    assert [line.values for line in overview.lines(span, "day")] == [(today,), (today - timedelta(days=1),)]


def test_purposes_stand_beside_their_budgets_even_unused(today: date) -> None:
    provider = Provider.objects.create(name="mistral", kind="openai")
    for purpose, limit in (("summary", 3), ("digest", 1)):
        PurposeBudget.objects.create(provider=provider, purpose=purpose, daily_budget=limit)
    for purpose in ("", "summary", "trial"):
        Spending.objects.create(day=today, provider="mistral", purpose=purpose, spent_usd=Decimal(2))

    shares = overview.purposes(Span(today, today))

    assert [(share.purpose, share.cost_usd, share.daily_budget) for share in shares] == [
        ("summary", Decimal(2), Decimal(3)),
        ("trial", Decimal(2), None),
        ("digest", Decimal(0), Decimal(1)),
    ]


def test_the_page_says_what_a_post_cost_and_how_that_compares(operator: Client, today: date) -> None:
    used(today, cost_usd=Decimal(3))
    used(today - timedelta(days=1), cost_usd=Decimal(2))
    PublicationFactory.create_batch(2, state="published", published_at=timezone.now())

    tiles = {tile.label: tile for tile in operator.get(PAGE, {"period": "today"}).context["tiles"]}

    assert (tiles["Стоимость"].figure, tiles["Стоимость"].note) == ("$3,00", "+50 % к предыдущему дню")
    assert tiles["Стоимость поста"].figure == "$1,50"
    assert tiles["Запросы"].note == "1 не удался"


def test_an_empty_ledger_says_what_will_fill_it(operator: Client) -> None:
    assert "Ни одного обращения ещё не было." in operator.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-11-22", "2026-11-01"), ("2020-01-01", "2026-11-01"), ("0001-01-01", "0001-01-02"), ("x", "9999-12-31")],
)
def test_days_that_make_no_span_are_refused_in_words(operator: Client, first: str, last: str) -> None:
    page = operator.get(PAGE, {"first": first, "last": last})

    assert page.status_code == 200
    assert 'role="alert"' in page.content.decode()


def test_a_year_is_drawn_by_weeks(operator: Client, today: date) -> None:
    used(today)
    used(today - timedelta(days=300))

    chart = operator.get(PAGE, {"period": "year"}).context["chart"]

    assert len(chart.bars) == 53
    assert sum(bar.column.value for bar in chart.bars) == 2


def test_every_line_leads_to_the_totals_it_is_made_of(operator: Client, today: date) -> None:
    used(today)
    used(today, model="large")
    used(today, provider="gemini")
    tables = {way: rows for way, _label, rows in operator.get(PAGE).context["tables"]}

    listed = operator.get(tables["model"][-1].url).context["cl"].result_list

    assert {row.label for row in tables["model"]} == {"small", "large"}
    assert len(listed) == 1


def test_a_table_is_taken_away_as_a_file_and_that_is_written_down(operator: Client, today: date) -> None:
    used(today)

    answer: Any = operator.post(f"{PAGE}?period=week", {"format": "json", "table": "model"})

    (row,) = json.loads(b"".join(answer.streaming_content))
    assert (row["provider"], row["model"], row["cost_usd"]) == ("mistral", "small", 1.0)
    assert LogEntry.objects.get().get_change_message().startswith("export json model")


@pytest.mark.parametrize("table", ["provider", "purpose", "day", "key"])
def test_every_table_has_its_file(operator: Client, table: str) -> None:
    answer: Any = operator.post(PAGE, {"format": "csv", "table": table})

    assert b"".join(answer.streaming_content).decode("utf-8-sig").startswith(("provider", "day"))


def test_who_may_not_see_the_ledger_gets_neither_page_nor_file() -> None:
    editor = signed_in("editor")

    assert editor.get(PAGE).status_code == 403
    assert editor.post(PAGE, {"format": "csv", "table": "day"}).status_code == 403


def test_the_page_costs_the_same_whatever_there_is(
    operator: Client, today: date, django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    used(today)
    with django_assert_max_num_queries(30) as few:
        operator.get(PAGE)
    for number in range(40):
        used(today - timedelta(days=number % 20), model=f"m{number}")

    with django_assert_num_queries(len(few)):
        operator.get(PAGE)
