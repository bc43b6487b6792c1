"""What a clock wrote that has been set back since is due now."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from articles import clocks
from articles.models import Article, Source
from tests.factories import ArticleFactory, SourceFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def test_a_source_that_was_read_in_the_future_is_read_again():
    later = timezone.now() + HOUR
    source = SourceFactory(last_fetched_at=later, last_success_at=later, next_fetch_at=later + HOUR)

    assert clocks.mend() == 1

    assert Source.objects.due().get() == source


def test_an_article_that_failed_in_the_future_is_tried_again():
    later = timezone.now() + HOUR
    article = ArticleFactory(status=Article.Status.READY)
    Article.objects.filter(pk=article.pk).update(next_step_at=later + HOUR, updated_at=later)

    assert clocks.mend() == 1

    assert Article.objects.due().get() == article


def test_what_waits_for_its_time_goes_on_waiting():
    now = timezone.now()
    SourceFactory(last_fetched_at=now, next_fetch_at=now + HOUR)
    ArticleFactory(status=Article.Status.READY, next_step_at=now + HOUR)

    assert clocks.mend() == 0
