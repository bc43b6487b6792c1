"""Backfill: an archive becomes rows, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from articles import backfilling
from articles.backfill import LEASE, Lost
from articles.models import ArchiveDay, Article, BackfillRun, DeadLetter, Source
from articles.sites import reading
from tests.factories import ArticleFactory, SourceFactory
from tests.fakes.site_server import MOSCOW, Site, archive_path, days_of_news, site_server

pytestmark = pytest.mark.django_db

LAST = date(2024, 5, 20)


@pytest.fixture
def site() -> Iterator[Site]:
    with site_server(days_of_news(LAST, 4, 20)) as running:
        yield running


@pytest.fixture
def source(site: Site) -> Source:
    made: Source = SourceFactory(**site.source())
    return made


def backfill(*arguments: str, first: str = "2024-05-17", last: str = "2024-05-20") -> BackfillRun:
    call_command("backfill", "--source", "warandpeace", "--from", first, "--to", last, *arguments)
    return BackfillRun.objects.latest("pk")


def test_an_archive_becomes_articles_with_their_texts(source: Source, capsys: pytest.CaptureFixture[str]) -> None:
    run = backfill()

    printed = capsys.readouterr().out.splitlines()[-1]
    assert printed == f"run={run.pk} pages=8 new=80 updated=0 unchanged=0 texts=80 failed=0"
    article = Article.objects.get(url__endswith="/view/7/")
    assert article.content.endswith("\n\nВыпуск 7.")
    assert "count(" not in article.content
    assert (article.topic, article.original_url) == ("Железная дорога", "https://agency.example/7?in=l")
    assert Article.objects.count() == 80


def test_the_lists_alone_are_read_without_content(source: Source, site: Site) -> None:
    run = backfill("--no-content")

    assert (run.created_count, run.text_count, site.count("/view/")) == (80, 0, 0)
    article = Article.objects.get(url__endswith="/view/7/")
    assert (article.content, article.lead.endswith("Выпуск 7."), article.status) == ("", True, "stored")


def test_days_are_read_in_the_direction_that_is_asked_for(source: Source, site: Site) -> None:
    backfill("--no-content", "--direction", "oldest-first")
    forward = [path for path in site.asked if "archive" in path]
    backfill("--no-content")
    backward = [path for path in site.asked if "archive" in path][len(forward) :]

    assert ["date_st=17.05" in forward[0], "date_st=20.05" in backward[0]] == [True, True]
    assert sorted(forward) == sorted(backward)


def test_so_many_pages_and_no_more(source: Source) -> None:
    run = backfill("--no-content", "--pages", "3")

    assert (run.pages, run.state, Article.objects.count()) == (3, "done", 35)


def test_a_dry_run_reads_and_stores_nothing(source: Source, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--source", "warandpeace", "--from", "2024-05-17", "--to", "2024-05-20", "--dry-run"]
    call_command("backfill", *arguments)

    assert capsys.readouterr().out == "pages=8 new=80 updated=0 unchanged=0 texts=0 failed=0\n"
    assert not Article.objects.exists() | BackfillRun.objects.exists() | ArchiveDay.objects.exists()


def test_a_dry_run_of_a_run_that_waits_for_texts_ends_and_leaves_it_as_it_was(source: Source, site: Site) -> None:
    run = planned(source)
    run.claim(LEASE)
    backfilling.take_step(run)
    BackfillRun.objects.pause()
    before = BackfillRun.objects.values().get()

    call_command("backfill", "--resume", str(run.pk), "--dry-run")

    assert BackfillRun.objects.values().get() == before
    assert site.count("/view/") == 0


def test_nothing_from_an_archive_is_summarised_or_queued(site: Site) -> None:
    today = timezone.localdate()
    site.news = days_of_news(today, 2, 5)
    SourceFactory(**site.source(auto_summarise=True, auto_queue=True))

    backfill(first=str(today - timedelta(days=1)), last=str(today))

    assert set(Article.objects.values_list("status", "next_step_at", "offered_at")) == {("stored", None, None)}


# --- what is known stays ----------------------------------------------------------------------------------------------


def test_a_known_time_never_becomes_midnight(source: Source, site: Site) -> None:
    exact = next(each.published for each in site.news if each.number == 30)
    ArticleFactory(
        source=source, canonical_link=f"{site.url}/ru/news/view/30", published_at=exact, topic="", original_url=""
    )

    backfill("--no-content")

    article = Article.objects.get(canonical_link__endswith="/view/30")
    assert (article.published_at, article.published_precision) == (exact, "minute")
    assert article.original_url == "https://agency.example/30?in=l"


def test_the_archives_midnight_is_moscows(source: Source) -> None:
    backfill("--no-content")

    article = Article.objects.get(canonical_link__endswith="/view/30")
    assert (article.published_at, article.published_precision) == (datetime(2024, 5, 17, 21, tzinfo=UTC), "day")


def test_what_an_editor_has_changed_stays(source: Source, site: Site) -> None:
    link = f"{site.url}/ru/news/view/30"
    ArticleFactory(source=source, canonical_link=link, title="Правка", content="", topic="", edited_at=timezone.now())

    backfill()

    article = Article.objects.get(canonical_link=link)
    assert (article.title, article.content, article.topic) == ("Правка", "", "")


def test_a_second_run_changes_nothing(source: Source, site: Site) -> None:
    backfill()
    asked = site.count("/view/")

    run = backfill()

    assert (run.created_count, run.updated_count, run.unchanged_count, run.text_count) == (0, 0, 80, 0)
    assert site.count("/view/") == asked


# --- what goes wrong --------------------------------------------------------------------------------------------------


def step_through(run: BackfillRun) -> list[timedelta | None]:
    """Take the steps of a run as a worker would, without waiting; how long each wanted to wait."""
    pauses = []
    while run.claim(LEASE):
        pauses.append(backfilling.take_step(run))
    return pauses


def planned(source: Source, **values: Any) -> BackfillRun:
    values = {"date_from": date(2024, 5, 17), "date_to": LAST, "next_step_at": timezone.now()} | values
    return BackfillRun.objects.create(source=source, **values)


def test_an_outage_is_waited_for_and_costs_nothing(source: Source, site: Site) -> None:
    site.failures[archive_path("19.05.2024")] = [503, 503]

    pauses = step_through(planned(source, with_content=False))

    assert [pause.total_seconds() for pause in pauses if pause] == [30, 60]
    assert Article.objects.count() == 80


def test_retry_after_is_obeyed(source: Source, site: Site) -> None:
    site.failures[archive_path("19.05.2024")], site.retry_after = [429], "7200"
    run = planned(source, with_content=False)

    pauses = step_through(run)

    assert timedelta(hours=2) in pauses


def test_a_page_that_is_gone_is_a_dead_letter_and_the_walk_goes_on(source: Source, site: Site) -> None:
    site.failures[archive_path("19.05.2024")] = [404]
    run = planned(source, with_content=False)

    step_through(run)

    letter = DeadLetter.objects.get()
    assert (letter.entity_ref.endswith(archive_path("19.05.2024")), letter.error_code) == (True, "HTTP 404")
    assert (run.state, run.failed_count, Article.objects.count()) == ("done", 1, 60)
    assert not ArchiveDay.objects.filter(day=date(2024, 5, 19)).exists()


def test_a_run_gives_up_where_every_page_fails(source: Source, site: Site) -> None:
    site.news.clear()
    for day in range(1, 21):
        site.failures[archive_path(f"{day:02}.05.2024")] = [403]
    run = planned(source, date_from=date(2024, 5, 1))

    step_through(run)

    assert (run.state, run.pages, run.failed_count) == ("failed", 0, 5)
    assert run.error


def test_a_text_that_is_gone_is_a_dead_letter_and_the_others_come(source: Source, site: Site) -> None:
    site.failures["/ru/news/view/30/"] = [410]
    site.failures["/ru/news/view/31/"] = [500]
    run = planned(source)

    step_through(run)

    assert (run.text_count, run.failed_count) == (79, 1)
    assert DeadLetter.objects.get().entity_ref.endswith("/view/30/")


def test_robots_txt_is_obeyed_unless_the_source_says_otherwise(source: Source, site: Site) -> None:
    site.robots = "User-agent: *\nDisallow: /ru/archive/"
    refused = planned(source, with_content=False)
    step_through(refused)
    Source.objects.update(obey_robots=False)

    allowed = planned(Source.objects.get(), with_content=False)
    step_through(allowed)

    assert (refused.created_count, refused.error != "", allowed.created_count) == (0, True, 80)


def test_no_more_requests_at_once_than_the_source_allows(site: Site) -> None:
    source, site.delay = SourceFactory(**site.source(connections=2)), 0.02

    step_through(planned(source, date_from=LAST))

    assert site.most_at_once == 2


# --- leases, pauses, other processes ----------------------------------------------------------------------------------


def test_a_run_that_is_paused_during_a_step_keeps_nothing_of_it(
    source: Source, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = planned(source)
    fetch = reading.fetch

    def pausing(*arguments: Any, **options: Any) -> Any:
        BackfillRun.objects.filter(pk=run.pk).pause()
        return fetch(*arguments, **options)

    monkeypatch.setattr(reading, "fetch", pausing)
    assert run.claim(LEASE)

    with pytest.raises(Lost):
        backfilling.take_step(run)

    assert (Article.objects.count(), BackfillRun.objects.get().state) == (0, "paused")


def test_a_resumed_run_goes_on_where_it_was(source: Source, site: Site) -> None:
    run = planned(source, with_content=False)
    for _step in range(3):
        run.claim(LEASE)
        backfilling.take_step(run)
    BackfillRun.objects.pause()

    call_command("backfill", "--resume", str(run.pk))

    assert (Article.objects.count(), site.repeated()) == (80, [])


def test_a_step_is_taken_once_by_whoever_claims_it(source: Source) -> None:
    run = planned(source)
    other = BackfillRun.objects.get()

    assert [run.claim(LEASE), other.claim(LEASE)] == [True, False]


def test_of_one_source_the_oldest_run_is_due_and_of_others_theirs(source: Source) -> None:
    first, _second = planned(source), planned(source)
    other = planned(SourceFactory())

    assert set(BackfillRun.objects.due()) == {first, other}


def test_a_worker_goes_on_until_the_end(source: Source) -> None:
    run = planned(source, date_from=date(2024, 5, 19), with_content=False)

    more = backfilling.work(run.pk)

    assert (more, BackfillRun.objects.get().state, Article.objects.count()) == (False, "done", 40)


def test_what_the_old_bot_left_is_resumed_where_it_stopped(source: Source, site: Site) -> None:
    legacy = {"collect_until": "2024-05-17", "collect_last_page": 7, "collect_processed": 900}
    run = planned(
        source,
        state="paused",
        next_step_at=None,
        date_to=date(2024, 5, 18),
        checkpoint={"legacy": legacy},
        pages=7,
        created_count=900,
        with_content=False,
    )

    call_command("backfill", "--resume", str(run.pk))

    run.refresh_from_db()
    assert "date_st=19.05.2024" in next(path for path in site.asked if "archive" in path)
    assert (run.created_count, run.checkpoint["legacy"]) == (960, legacy)


# --- what a person types ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--source", "warandpaece", "--from", "2024-05-01"], "There is no source warandpaece. Did you mean"),
        (["--from", "2024-05-01"], "Say which archive"),
        (["--source", "warandpeace", "--from", "2024-05-02", "--to", "2024-05-01"], "--from is later than --to."),
        (["--source", "warandpeace", "--from", "2999-05-01"], "2999-05-01 is still to come"),
        (["--source", "warandpeace", "--from", "0001-01-01"], "--from is before the web"),
        (["--resume", "99"], "There is no run 99."),
        (["--resume", "9" * 30], "Error: argument --resume: 9"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(source: Source, arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError) as raised:
        call_command("backfill", *arguments)

    assert str(raised.value).startswith(sentence)


def test_a_source_that_is_not_described_says_so() -> None:
    SourceFactory(slug="warandpeace")

    with pytest.raises(CommandError, match=r"selectors|селекторы"):
        backfill()


# --- reconcile --------------------------------------------------------------------------------------------------------


def test_reconcile_tells_each_day_and_fetches_what_is_missing(
    source: Source, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    today = timezone.now().astimezone(MOSCOW).date()
    site.news = days_of_news(today, 3, 4)
    ArticleFactory(source=source, canonical_link=f"{site.url}/ru/news/view/12")

    call_command("reconcile", "--days", "2")

    assert capsys.readouterr().out.splitlines() == [
        f"{today} warandpeace listed=4 missing=3",
        f"{today - timedelta(days=1)} warandpeace listed=4 missing=4",
        "sources=1 days=2 listed=8 missing=7 fetched=7",
    ]
    assert Article.objects.exclude(content="").count() == 8


def test_reconcile_can_only_compare(source: Source, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    today = timezone.now().astimezone(MOSCOW).date()
    site.news = days_of_news(today, 3, 4)

    call_command("reconcile", "--days", "3", "--dry-run")

    assert capsys.readouterr().out.splitlines()[-1] == "sources=1 days=3 listed=12 missing=12 fetched=0"
    assert not Article.objects.exists()
    assert set(ArchiveDay.objects.values_list("listed", "missing")) == {(4, 4)}
