"""The dashboard: every figure is counted from rows, and leads to them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from articles.models import BackfillRun, DeadLetter
from publishing import approval
from publishing.models import Message, Publication
from tests.factories import ArticleFactory, PublicationFactory, SourceFactory, UserFactory
from tests.people import signed_in
from usage.charts import Tile
from usage.models import Alert, ApiUsageDaily, ProcessSession, Provider, PurposeBudget, Spending, utc_day
from warandpeace.dashboard.day import Day
from warandpeace.dashboard.panels import Light
from warandpeace.dashboard.panels import Spending as Money
from warandpeace.models import Heartbeat

pytestmark = pytest.mark.django_db

QUEUE = "/admin/publishing/pendingpublication/"
# Two for the session and the person, ten for the badges of the sidebar, the rest for the figures.
QUERIES = 40


def shown(name: str, role: str = "operator") -> Any:
    """A part of the page, as somebody of the role gets it."""
    return signed_in(role).get("/admin/").context[name]


def tile(label: str, role: str = "operator") -> Tile:
    tiles: list[Tile] = shown("tiles", role)
    return next(found for found in tiles if found.label == label)


def light(label: str) -> Light:
    lights: list[Light] = shown("lights")
    return next(found for found in lights if found.label == label)


def test_an_empty_newsroom_says_what_will_appear() -> None:
    page = signed_in("publisher").get("/admin/").content.decode()

    assert "Сегодняшних статей ещё нет." in page
    assert "Ни один источник не читается." in page
    assert "никто не ждёт" in page


# --- figures --------------------------------------------------------------------------------------------------------


def test_what_awaits_a_decision_is_counted_with_the_age_of_the_oldest() -> None:
    oldest, *_others = PublicationFactory.create_batch(3)
    Publication.objects.filter(pk=oldest.pk).update(created_at=timezone.now() - timedelta(minutes=42))

    awaiting = tile("Ждут решения")

    assert (awaiting.figure, awaiting.note, awaiting.url) == ("3", "старшая 42\xa0минуты", QUEUE)


def test_what_goes_out_by_itself_is_counted_with_what_has_a_time() -> None:
    for when in (None, timezone.now() + timedelta(hours=2)):
        approval.approve(PublicationFactory().pk, by=None, scheduled_for=when)

    way = tile("На пути к выпуску")

    assert (way.figure, way.note, way.url) == ("2", "1 по расписанию", f"{QUEUE}?stage=approved")


def test_what_went_out_today_stands_beside_todays_articles() -> None:
    yesterday = timezone.now() - timedelta(days=1)
    PublicationFactory(state="published", published_at=timezone.now(), article__published_at=timezone.now())
    PublicationFactory(state="published", published_at=yesterday, article__published_at=yesterday)

    out = tile("Вышло сегодня")

    assert (out.figure, out.note) == ("1", "из 1 статьи")


@pytest.mark.parametrize("label", ["Нужен человек", "Не удались", "Необработанное", "Тревоги"])
def test_nothing_to_worry_about_raises_no_alarm(label: str) -> None:
    found = tile(label)

    assert (found.figure, found.alarm) == ("0", False)


def test_a_message_that_needs_a_person_raises_the_alarm() -> None:
    publication = PublicationFactory()
    approval.approve(publication.pk, by=None)
    publication.messages.update(state=Message.State.UNKNOWN)

    needs = tile("Нужен человек")

    assert (needs.figure, needs.alarm, needs.url) == ("1", True, f"{QUEUE}?stage=person")


def test_a_refused_post_is_an_alarm_for_a_day() -> None:
    old, _new = PublicationFactory.create_batch(2, state=Publication.State.FAILED)
    Publication.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=3))

    failed = tile("Не удались")

    assert (failed.figure, failed.note, failed.alarm, failed.url) == (
        "2",
        "1 за сутки",
        True,
        f"{QUEUE}?stage=failed",
    )


def test_dead_letters_and_alerts_lead_to_their_lists() -> None:
    DeadLetter.record("page", "https://news.example/1", "http_404", "", 5, hopeless=True)
    Alert.sound("test", "x", "Look.")

    letters, alerts = (found for found in shown("tiles") if found.label in {"Необработанное", "Тревоги"})

    assert (letters.figure, letters.note, letters.alarm) == ("1", "1 ждёт человека", True)
    assert (alerts.figure, alerts.url) == ("1", "/admin/usage/alert/?resolved_at__isempty=1")


def test_every_figure_leads_to_a_page_that_opens() -> None:
    PublicationFactory(state="published", published_at=timezone.now(), article__published_at=timezone.now())
    ApiUsageDaily.objects.create(day=utc_day(timezone.now()), provider="extractive", requests=1)
    client = signed_in("operator")
    context = client.get("/admin/").context
    urls = {found.url for found in (*context["tiles"], *context["lights"], *context["spending"].purses)}
    urls |= {shape.column.url for shape in (*context["chart"].bars, *context["chart"].points) if shape.column.value}

    statuses = {url: client.get(url).status_code for url in {*urls, context["spending"].url} if url}

    assert set(statuses.values()) == {200}, statuses
    assert len(statuses) > 12


# --- the day by hours -----------------------------------------------------------------------------------------------


def test_an_hour_of_the_chart_leads_to_its_articles() -> None:
    at = timezone.localtime().replace(hour=0, minute=10)
    mine, _other = ArticleFactory(published_at=at), ArticleFactory(published_at=at - timedelta(hours=1))
    client = signed_in("operator")

    bar = next(bar for bar in client.get("/admin/").context["chart"].bars if bar.column.value)
    listed = client.get(bar.column.url).context["cl"].result_list

    assert [article.pk for article in listed] == [mine.pk]


def test_the_line_ends_with_this_hour() -> None:
    now = timezone.localtime().replace(hour=9, minute=5)
    midnight = now.replace(hour=0, minute=0)

    quiet = Day(midnight, now, {1: 2}, {}).chart()
    busy = Day(midnight, now, {1: 2}, {9: 1}).chart()

    assert (len(quiet.points), len(busy.points)) == (9, 10)


# --- money ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def mistral() -> Provider:
    Provider.objects.update(daily_budget=None)
    provider = Provider.objects.create(name="mistral", daily_budget=5)
    PurposeBudget.objects.create(provider=provider, purpose="digest", daily_budget=1)
    return provider


def test_spending_is_shown_against_the_budgets_of_providers_and_purposes(mistral: Provider) -> None:
    day = utc_day(timezone.now())
    ApiUsageDaily.objects.create(day=day, provider="mistral", cost_usd=Decimal("1.25"))
    for purpose, spent in (("", "1.25"), ("digest", "0.5")):
        Spending.objects.create(day=day, provider="mistral", purpose=purpose, spent_usd=Decimal(spent))

    money: Money = shown("spending")

    assert (money.spent, money.limit, money.meter) == ("$1,25", "$5,00", 25)
    assert [(purse.label, purse.spent, purse.limit, purse.meter) for purse in money.purses] == [
        ("mistral", "$1,25", "$5,00", 25),
        ("digest", "$0,50", "$1,00", 50),
    ]


def test_a_budget_that_is_spent_is_named(mistral: Provider) -> None:
    Alert.sound(Alert.Code.BUDGET_SPENT, f"mistral digest {utc_day(timezone.now())}", "Spent.", repeats=False)

    money: Money = shown("spending")

    assert money.exhausted == ("mistral digest",)
    assert [purse.is_spent for purse in money.purses] == [False, True]


def test_money_is_not_shown_to_editors() -> None:
    assert shown("spending", role="editor") is None


# --- sources and archives -------------------------------------------------------------------------------------------


def test_sources_that_fail_come_first_and_then_those_that_are_late() -> None:
    now = timezone.now()
    SourceFactory(name="Больной", consecutive_failures=2, last_error="403 Forbidden")
    late, well = SourceFactory(name="Тихий"), SourceFactory(name="Бодрый")
    for number in range(51):
        ArticleFactory(source=late, published_at=now - timedelta(hours=9, minutes=10 * number))
        ArticleFactory(source=well, published_at=now - timedelta(minutes=4 + 10 * number))

    lines = shown("sources", role="editor")

    assert [(line.source.name, line.news.tone) for line in lines] == [
        ("Больной", "danger"),
        ("Тихий", "warning"),
        ("Бодрый", "success"),
    ]
    assert lines[0].news.label.startswith("403 Forbidden · попытка 3")
    assert lines[1].news.label == "9\xa0часов, обычно 10\xa0минут"


def test_an_archive_that_is_read_says_how_far_it_is() -> None:
    BackfillRun.objects.create(
        source=SourceFactory(),
        date_from="2019-01-01",
        date_to="2019-01-10",
        state=BackfillRun.State.RUNNING,
        checkpoint={"days_done": 4},
        created_count=1200,
        working_seconds=400,
    )

    (run,) = shown("backfills")

    assert (run.percent, run.left) == (40, "10\xa0минут")
    assert "1\xa0200 новых статей" in run.told


# --- how it runs ----------------------------------------------------------------------------------------------------


def test_background_work_that_stopped_is_red() -> None:
    Heartbeat.objects.create(name="sweeper", beat_at=timezone.now() - timedelta(minutes=10))

    found = light("Фоновая работа")

    assert (found.tone, found.status) == ("danger", "10\xa0минут назад")


def test_workers_and_the_scheduler_are_missed_when_none_lives() -> None:
    ProcessSession.begin("worker")
    ProcessSession.begin("beat").end()

    tones = {found.label: found.tone for found in shown("lights")}

    assert (tones["Обработчики"], tones["Расписание"]) == ("success", "danger")
    assert "Страницы" not in tones


# --- what it costs --------------------------------------------------------------------------------------------------


def test_the_dashboard_costs_the_same_whatever_there_is(
    django_assert_max_num_queries: Any, django_assert_num_queries: Any, client: Any
) -> None:
    client.force_login(UserFactory(is_superuser=True))
    source = SourceFactory()
    PublicationFactory(article__source=source, state="published", published_at=timezone.now())
    with django_assert_max_num_queries(QUERIES) as few:
        client.get("/admin/")
    ArticleFactory.create_batch(10, source=source)
    PublicationFactory.create_batch(10, article__source=source, state="published", published_at=timezone.now())
    SourceFactory.create_batch(5)

    with django_assert_num_queries(len(few)):
        client.get("/admin/")
