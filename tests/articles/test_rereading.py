"""What a walk through an archive has given up comes after all, once its dead letter is tried again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from articles import backfilling, dead_letters
from articles.dead_letters import Outcome
from articles.models import Article, BackfillRun, DeadLetter
from tests.factories import SourceFactory
from tests.fakes.site_server import Site, archive_path, days_of_news, site_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def site() -> Iterator[Site]:
    with site_server(days_of_news(date(2024, 5, 20), 2, 5)) as running:
        SourceFactory(**running.source(auto_summarise=True, auto_queue=True))
        yield running


def walk(*arguments: str) -> None:
    call_command("backfill", "--source", "warandpeace", "--from", "2024-05-19", "--to", "2024-05-20", *arguments)


def retry_all() -> dict[str, int]:
    """Try all letters again, and take the steps that are due then."""
    tally = dead_letters.retry(DeadLetter.objects.all())
    for run in BackfillRun.objects.due(timezone.now() + timedelta(seconds=1)):
        backfilling.work(run.pk)
    return dict(tally.counts)


def test_texts_that_were_given_up_are_fetched_and_nothing_else_is_done(site: Site) -> None:
    site.failures = {f"/ru/news/view/{number}/": [404] for number in (2, 3)}
    walk()

    assert retry_all() == {Outcome.DUE: 2}

    assert not Article.objects.filter(content="").exists()
    assert set(Article.objects.values_list("status", "offered_at")) == {("stored", None)}
    assert not DeadLetter.objects.exists()
    assert BackfillRun.objects.filter(origin="retry").count() == 1


@pytest.mark.parametrize("page", ["/ru/news/view/2/", archive_path("19.05.2024")], ids=["text", "list"])
def test_a_letter_that_is_tried_twice_is_read_once(site: Site, page: str) -> None:
    site.failures = {page: [404]}
    walk()
    dead_letters.retry(DeadLetter.objects.all())
    planned = BackfillRun.objects.filter(origin="retry").values_list("checkpoint", flat=True)
    once = list(planned)

    dead_letters.retry(DeadLetter.objects.all())

    assert (list(planned.all()), len(once)) == (once, 1)


def test_a_text_that_fails_again_keeps_its_letter(site: Site) -> None:
    site.failures = {"/ru/news/view/2/": [404, 404]}
    walk()

    retry_all()

    assert DeadLetter.objects.get().attempts == 2
    assert Article.objects.get(content="").status == Article.Status.STORED


def test_a_day_whose_list_was_given_up_is_read_again(site: Site) -> None:
    site.failures = {archive_path("19.05.2024"): [404]}
    walk()
    before = Article.objects.count()

    assert retry_all() == {Outcome.DUE: 1}

    assert (before, Article.objects.count(), DeadLetter.objects.count()) == (5, 10, 0)


def test_a_page_that_no_archive_has_is_lost(site: Site) -> None:
    DeadLetter.record(DeadLetter.EntityType.PAGE, f"{site.url}/ru/archive/", "HTTP 404", "", 1)

    assert retry_all() == {Outcome.LOST: 1}
