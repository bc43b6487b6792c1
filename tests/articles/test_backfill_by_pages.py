"""Archives that cannot be asked for a day: walked page by page, from either end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from articles import backfilling
from articles.backfill import LEASE
from articles.models import ArchiveDay, Article, BackfillRun, Source
from tests.factories import SourceFactory
from tests.fakes.site_server import Site, days_of_news, news, site_server

pytestmark = pytest.mark.django_db

# Ten days of twenty articles: fourteen pages of fifteen.
LAST = date(2024, 5, 20)


@pytest.fixture
def site() -> Iterator[Site]:
    with site_server(days_of_news(LAST, 10, 20)) as running:
        yield running


def by_pages(site: Site, **changes: Any) -> Source:
    """The site without the part of its archive that knows days, and with other changes of its list."""
    places = site.selectors()["list"] | changes
    selectors = {"list": {name: place for name, place in places.items() if place}}
    made: Source = SourceFactory(**site.source(selectors=selectors))
    return made


def planned(source: Source, **values: Any) -> BackfillRun:
    days = {"date_from": date(2024, 5, 13), "date_to": date(2024, 5, 14)}
    run = BackfillRun(source=source, direction="oldest-first", with_content=False, next_step_at=timezone.now())
    for name, value in (days | values).items():
        setattr(run, name, value)
    run.save()
    return run


def walk(run: BackfillRun) -> BackfillRun:
    while run.claim(LEASE):
        backfilling.take_step(run)
    return run


def pages_asked(site: Site) -> list[int]:
    return [int(found[1]) if (found := re.search(r"page=(\d+)", path)) else 1 for path in site.asked]


def test_newest_first_it_is_walked_until_a_page_is_too_old(site: Site) -> None:
    days = {"date_from": date(2024, 5, 18), "date_to": date(2024, 5, 19)}

    run = walk(planned(by_pages(site), direction="newest-first", **days))

    assert (run.created_count, run.state, run.days_done) == (40, "done", 2)
    assert list(ArchiveDay.objects.order_by("day").values_list("day__day", "listed", "missing")) == [
        (18, 20, 0),
        (19, 20, 0),
    ]


@pytest.mark.parametrize("pages", ["span.menu_1", ""])
def test_the_oldest_wanted_page_is_found_and_walked_back_from(site: Site, pages: str) -> None:
    run = walk(planned(by_pages(site, pages=pages)))

    stored = Article.objects.order_by("pk").values_list("published_at", flat=True)
    assert (run.state, run.created_count, run.days_done) == ("done", 40, 2)
    assert stored[0] < datetime(2024, 5, 14, tzinfo=UTC) < stored[39]
    assert list(ArchiveDay.objects.order_by("day").values_list("day__day", "listed")) == [(13, 20), (14, 20)]
    assert pages_asked(site)[-5:] == [11, 10, 9, 8, 1]


def test_an_archive_that_repeats_its_last_page_for_ever_is_read_once(site: Site) -> None:
    site.repeats_last_page = True

    run = walk(planned(by_pages(site, pages=""), date_from=date(2024, 5, 1)))

    assert (run.state, run.created_count, run.failed_count) == ("done", 80, 0)
    assert set(ArchiveDay.objects.values_list("listed", flat=True)) == {20}


@pytest.mark.parametrize("direction", BackfillRun.Direction.values)
def test_a_page_behind_the_last_that_is_not_there_is_no_failure(site: Site, direction: str) -> None:
    site.ends_with_404 = True

    run = walk(planned(by_pages(site, pages=""), date_from=date(2024, 5, 1), date_to=LAST, direction=direction))

    assert (run.state, run.created_count, run.failed_count) == ("done", 200, 0)


def test_articles_that_appear_meanwhile_hide_none(site: Site) -> None:
    run = planned(by_pages(site), date_to=LAST)
    while run.checkpoint.get("page") != 7:
        assert run.claim(LEASE)
        backfilling.take_step(run)

    site.news += [news(1000 + number, datetime(2024, 5, 20, 20, 30, tzinfo=UTC)) for number in range(3)]
    walk(run)

    assert (run.state, Article.objects.count()) == ("done", 8 * 20 + 3)


def test_looking_for_the_page_does_not_count_as_reading(site: Site) -> None:
    run = walk(planned(by_pages(site), page_limit=1))

    assert (run.state, pages_asked(site)[-1], Article.objects.count()) == ("done", 11, 10)


def test_nothing_that_old_is_the_end(site: Site) -> None:
    tomorrow = LAST + timedelta(days=1)

    run = walk(planned(by_pages(site), date_from=tomorrow, date_to=tomorrow))

    assert (run.state, run.created_count, len(site.asked)) == ("done", 0, 2)


def test_what_can_only_be_followed_by_links_is_refused_by_the_command(site: Site) -> None:
    by_pages(site, address="", next="a.next")

    with pytest.raises(CommandError, match="только с самой новой страницы"):
        call_command("backfill", "--source=warandpeace", "--from=2024-05-01", "--direction=oldest-first")

    assert not BackfillRun.objects.exists()


def test_what_can_only_be_followed_by_links_is_refused_in_the_admin(client: Client, site: Site) -> None:
    client.force_login(User.objects.create_superuser("boss"))
    source = by_pages(site, address="", next="a.next")
    asked = {"source": source.pk, "direction": "oldest-first", "date_from": "2024-05-01", "date_to": "2024-05-02"}

    page = client.post("/admin/articles/backfillrun/add/", asked, headers={"Accept-Language": "en"})

    assert page.context["adminform"].form.non_field_errors()[0].startswith("Этот архив читается только с самой новой")
