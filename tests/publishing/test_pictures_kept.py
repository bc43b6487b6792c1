"""Pictures are forgotten when their posts are old, and never while something may still need them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from articles.models import Article, Media, Picture
from publishing import pictures
from tests.factories import ArticleFactory, PublicationFactory
from tests.pictures import png

pytestmark = pytest.mark.django_db


def pictured(state: str, *, days: int = 100, body: bytes = b"") -> Article:
    """An article with a picture that was fetched so many days ago, and a publication in a state."""
    article: Article = ArticleFactory()
    PublicationFactory(article=article, state=state)
    moment = timezone.now() - timedelta(days=days)
    file = Media.objects.keep(body or png(200, 200), content_type="image/png", width=200, height=200, source_url="")
    Media.objects.update(fetched_at=moment)
    Picture.objects.create(article=article, status="fetched", media=file, created_at=moment)
    return article


def test_pictures_of_old_posts_are_forgotten() -> None:
    pictured("published")

    assert pictures.prune() == 1
    assert not Picture.objects.exists() | Media.objects.exists()


@pytest.mark.parametrize(("state", "days"), [("published", 80), ("pending", 100), ("approved", 100), ("held", 100)])
def test_what_may_still_be_needed_stays(state: str, days: int) -> None:
    pictured(state, days=days)

    assert pictures.prune() == 0
    assert Picture.objects.exists() & Media.objects.exists()


def test_a_file_stays_for_the_other_article_that_has_it() -> None:
    pictured("published")
    needed = pictured("pending")

    assert pictures.prune() == 0
    assert Picture.objects.get().article == needed
