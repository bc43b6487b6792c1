"""Sites in the admin: their selectors as a form, what they would read, runs through archives, and the coverage map."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from articles.admin import selecting
from articles.models import ArchiveDay, Article, BackfillRun, Source
from articles.sites.presets import WARANDPEACE
from tests.factories import ArticleFactory, SourceFactory
from tests.fakes.site_server import MOSCOW, Site, days_of_news, site_server
from tests.people import signed_in

pytestmark = pytest.mark.django_db

ADD = "/admin/articles/source/add/"
TRY = "/admin/articles/source/try/"
RUNS = "/admin/articles/backfillrun/"


@pytest.fixture
def operator() -> Client:
    return signed_in("operator")


@pytest.fixture
def site() -> Iterator[Site]:
    with site_server(days_of_news(date(2024, 5, 20), 2, 5)) as running:
        yield running


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The runs that were rung for, instead of a worker that would take their steps."""
    bells: list[int] = []
    for module in ("articles.admin.backfill", "articles.admin.coverage"):
        monkeypatch.setattr(f"{module}.ring", lambda task, pk: bells.append(pk))
    return bells


def form(values: dict[str, Any], **changes: str) -> dict[str, Any]:
    """A source's form as a browser would send it."""
    sent = {name: value for name, value in values.items() if name != "selectors"}
    sent |= {"interval_minutes": 15, "queue_max_age_hours": 48, "connections": 2, "obey_robots": "on"}
    now = timezone.localtime()
    sent |= {"next_fetch_at_0": f"{now:%Y-%m-%d}", "next_fetch_at_1": f"{now:%H:%M:%S}"}
    return sent | selecting.filled(values["selectors"]) | changes


# --- the form ---------------------------------------------------------------------------------------------------------


def test_an_old_row_of_warandpeace_is_described_by_one_action(operator: Client) -> None:
    feed = SourceFactory(url="https://www.warandpeace.ru/ru/rss/", slug="warandpeace", selectors={})
    other = SourceFactory(url="https://other.example/rss", selectors={})
    chosen = {"action": "describe_selected", "_selected_action": [feed.pk, other.pk]}

    operator.post("/admin/articles/source/", chosen)

    feed.refresh_from_db()
    other.refresh_from_db()
    assert (feed.kind, feed.selectors, other.selectors) == ("feed", WARANDPEACE.selectors, {})


def test_warandpeace_comes_ready_to_be_saved(operator: Client) -> None:
    page = operator.get(ADD, {"preset": "warandpeace"}).content.decode()

    operator.post(ADD, form(WARANDPEACE.values()))

    source = Source.objects.get(slug="warandpeace")
    assert "td.topic_announce" in page
    assert source.selectors == WARANDPEACE.selectors
    assert (source.kind, source.encoding) == ("site", "windows-1251")


def test_a_mistake_is_told_beside_its_field(operator: Client) -> None:
    page = operator.post(ADD, form(WARANDPEACE.values(), at_list_item="td[", at_archive_address="https://a.example/"))

    assert set(page.context["adminform"].form.errors) == {"at_list_item", "at_archive_address"}
    assert not Source.objects.exists()


def test_a_site_without_selectors_is_refused(operator: Client) -> None:
    page = operator.post(ADD, form(WARANDPEACE.values() | {"selectors": {}}))

    assert set(page.context["adminform"].form.errors) == {"at_list_item"}


def test_other_selectors_forget_what_the_page_used_to_yield(operator: Client) -> None:
    source = SourceFactory(**WARANDPEACE.values(), usual_yield={"entries": 15})

    operator.post(
        reverse("admin:articles_source_change", args=[source.pk]), form(WARANDPEACE.values(), at_list_lead="td.lead")
    )

    source.refresh_from_db()
    assert (source.selectors["list"]["lead"], source.usual_yield) == ("td.lead", {})


# --- try it -----------------------------------------------------------------------------------------------------------


def test_unsaved_selectors_are_tried_on_a_page(operator: Client, site: Site) -> None:
    page = operator.post(TRY, form(site.source(), try_kind="list")).content.decode()

    assert page.count("/ru/news/view/") == 10
    assert not Article.objects.exists()


def test_pasted_html_is_tried_without_asking_anybody(operator: Client, site: Site) -> None:
    html = site.answer("/ru/news/view/3/")[1].replace(
        "Выпуск", "<b onclick=steal()>Выпуск</b><img src=x onerror=steal()>"
    )

    page = operator.post(TRY, form(site.source(), try_kind="article", try_html=html)).content.decode()

    assert "<b>Выпуск</b>" in page
    assert "steal()" not in page
    assert not site.asked


def test_what_was_tried_is_escaped(operator: Client, site: Site) -> None:
    html = site.answer("/ru/news/")[1].replace("№ 10 </a>", "&lt;script&gt;steal()&lt;/script&gt;</a>")

    page = operator.post(TRY, form(site.source(), try_kind="list", try_html=html)).content.decode()

    assert "&lt;script&gt;steal()" in page
    assert "<script>steal()" not in page


@pytest.mark.parametrize(
    "changes",
    [
        {"at_list_item": "table.gone"},
        {"at_list_item": "td["},
        {"try_url": "ftp://127.0.0.1/"},
        {"try_kind": "article", "at_article_text": "td.gone"},
    ],
)
def test_a_try_that_finds_nothing_says_why(operator: Client, site: Site, changes: dict[str, str]) -> None:
    page = operator.post(TRY, form(site.source(), **changes))

    assert page.context["look"].error
    assert not page.context["look"].entries


def test_an_editor_may_not_try(site: Site) -> None:
    answer = signed_in("editor").post(TRY, form(site.source()))

    assert answer.status_code == 403
    assert not site.asked


# --- runs -------------------------------------------------------------------------------------------------------------


def planned(site: Site, **values: Any) -> BackfillRun:
    source = SourceFactory(**site.source())
    values = {"date_from": date(2024, 5, 19), "date_to": date(2024, 5, 20)} | values
    return BackfillRun.objects.create(source=source, **values)


def test_a_run_is_begun_in_the_admin(operator: Client, site: Site, rung: list[int]) -> None:
    source = SourceFactory(**site.source())
    wanted = {"source": source.pk, "date_from": "19.05.2024", "date_to": "20.05.2024", "direction": "oldest-first"}

    operator.post(f"{RUNS}add/", wanted)

    run = BackfillRun.objects.get()
    assert (run.direction, run.with_content, rung) == ("oldest-first", False, [run.pk])
    assert BackfillRun.objects.due().get() == run


def test_a_run_is_paused_resumed_and_cancelled(operator: Client, site: Site) -> None:
    run = planned(site, next_step_at=timezone.now())
    states = []

    for action in ("pause_selected", "resume_selected", "cancel_selected"):
        operator.post(RUNS, {"action": action, "index": 0, "_selected_action": [run.pk]})
        run.refresh_from_db()
        states.append((run.state, run.next_step_at is None))

    assert states == [("paused", True), ("pending", False), ("cancelled", True)]


def test_the_page_of_a_run_writes_nothing_over_its_steps(operator: Client, site: Site) -> None:
    run = planned(site, state="running", next_step_at=timezone.now(), checkpoint={"day": "2024-05-20"})

    operator.post(reverse("admin:articles_backfillrun_change", args=[run.pk]), {"articles_backfillrun_pause_run": "1"})

    run.refresh_from_db()
    assert (run.state, run.checkpoint) == ("paused", {"day": "2024-05-20"})


def test_a_run_of_days_that_nobody_could_plan_by_hand_is_stopped_from_its_page(operator: Client, site: Site) -> None:
    tomorrow = timezone.localdate() + timedelta(days=1)
    run = planned(site, state="running", next_step_at=timezone.now(), date_to=tomorrow)

    operator.post(reverse("admin:articles_backfillrun_change", args=[run.pk]), {"articles_backfillrun_pause_run": "1"})

    run.refresh_from_db()
    assert run.state == "paused"


@pytest.mark.parametrize(
    ("state", "offered"),
    [("running", {"pause", "cancel"}), ("failed", {"resume", "cancel"}), ("cancelled", {"resume"}), ("done", set())],
)
def test_the_page_of_a_run_offers_what_fits_its_state(
    operator: Client, site: Site, state: str, offered: set[str]
) -> None:
    run = planned(site, state=state)

    page = operator.get(reverse("admin:articles_backfillrun_change", args=[run.pk]))

    buttons = page.context["actions_submit_line"]
    assert {each.action_name.rsplit("_", 2)[1] for each in buttons} == offered
    assert b'name="_save"' not in page.content


@pytest.mark.parametrize(
    ("first", "last", "wrong"),
    [
        ("2024-05-20", "2024-05-01", "date_to"),
        ("2024-05-20", "2999-01-01", "date_to"),
        ("0001-01-01", "2024-05-20", "date_from"),
    ],
)
def test_days_that_no_archive_can_have_are_refused(
    operator: Client, site: Site, first: str, last: str, wrong: str
) -> None:
    source = SourceFactory(**site.source())
    asked = {"source": source.pk, "direction": "newest-first", "date_from": first, "date_to": last}

    page = operator.post(f"{RUNS}add/", asked)

    assert list(page.context["adminform"].form.errors) == [wrong]


def test_a_run_shows_its_speed_and_the_time_left(operator: Client, site: Site) -> None:
    planned(
        site, state="running", next_step_at=timezone.now(), pages=30, working_seconds=60, checkpoint={"days_done": 1}
    )

    page = operator.get(RUNS).content.decode()

    assert BackfillRun.objects.get().time_left == timedelta(minutes=1)
    assert BackfillRun.objects.get().pages_per_minute == 30
    assert "30" in page


# --- the coverage map -------------------------------------------------------------------------------------------------


def coverage_of(source: Source, year: int = 2024) -> str:
    return f"{reverse('admin:articles_source_coverage', args=[source.pk])}?year={year}"


def test_the_map_compares_the_database_with_the_archive(operator: Client, site: Site) -> None:
    source = SourceFactory(**site.source())
    for hour in range(3):
        ArticleFactory(source=source, published_at=datetime(2024, 5, 19, 21 + hour, 30, tzinfo=UTC))
    ArchiveDay.objects.create(source=source, day=date(2024, 5, 20), listed=5, missing=2)

    months = operator.get(coverage_of(source)).context["months"]

    days = {day.day: day for month in months for day in month.days}
    assert (days[date(2024, 5, 20)].stored, days[date(2024, 5, 20)].state) == (3, "gap")
    assert days[date(2024, 5, 19)].state == "empty"
    assert len(days) == 366


def test_a_day_that_was_not_over_when_it_was_compared_is_not_called_complete(operator: Client, site: Site) -> None:
    source = SourceFactory(**site.source())
    noon = datetime(2024, 5, 20, 12, tzinfo=MOSCOW)
    ArchiveDay.objects.create(source=source, day=noon.date(), listed=2, checked_at=noon)

    months = operator.get(coverage_of(source)).context["months"]

    assert {day.day: day.state for month in months for day in month.days}[noon.date()] == "empty"


def test_gaps_are_filled_by_a_click(operator: Client, site: Site, rung: list[int]) -> None:
    source = SourceFactory(**site.source())
    for day in (3, 4, 9):
        ArchiveDay.objects.create(source=source, day=date(2024, 5, day), listed=5, missing=1)

    operator.post(coverage_of(source), {"_gaps": ""})

    runs = BackfillRun.objects.order_by("date_from").values_list("date_from", "date_to")
    assert list(runs) == [(date(2024, 5, 3), date(2024, 5, 4)), (date(2024, 5, 9), date(2024, 5, 9))]
    assert len(rung) == 2


def test_one_day_is_filled_by_a_click(operator: Client, site: Site) -> None:
    source = SourceFactory(**site.source())

    operator.post(coverage_of(source), {"day": "2024-05-07"})

    run = BackfillRun.objects.get()
    assert (run.date_from, run.date_to, run.origin) == (date(2024, 5, 7), date(2024, 5, 7), "person")


def test_an_editor_may_look_at_the_map_but_not_fill_it(site: Site) -> None:
    source, editor = SourceFactory(**site.source()), signed_in("editor")

    looked, filled = editor.get(coverage_of(source)), editor.post(coverage_of(source), {"day": "2024-05-07"})

    assert (looked.status_code, filled.status_code) == (200, 403)
    assert not BackfillRun.objects.exists()


def test_the_map_costs_the_same_whatever_is_stored(
    operator: Client, site: Site, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    source = SourceFactory(**site.source())
    with django_assert_max_num_queries(20) as few:
        operator.get(coverage_of(source))
    ArticleFactory.create_batch(10, source=source, published_at=datetime(2024, 5, 19, tzinfo=UTC))

    with django_assert_num_queries(len(few)):
        operator.get(coverage_of(source))
