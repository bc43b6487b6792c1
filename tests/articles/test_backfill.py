"""Backfill: an archive becomes rows, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from articles import backfilling
from articles.backfill import LEASE
from articles.models import ArchiveDay, Article, BackfillRun, DeadLetter, Source
from tests.factories import SourceFactory
from tests.fakes.site_server import Site, days_of_news, site_server

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
