"""Stored pictures over HTTP, and the list of what was wanted in the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from articles.models import Picture
from tests.factories import ArticleFactory, MediaFactory, PictureFactory
from tests.people import signed_in
from tests.pictures import png

pytestmark = pytest.mark.django_db

LIST = "/admin/articles/picture/"


def test_a_picture_comes_as_what_its_bytes_are_and_for_good(client: Client) -> None:
    media = MediaFactory.create()

    answer = client.get(f"/pictures/{media.sha256}/")

    assert answer.content == png(400, 200)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("sha256", ["0" * 64, "x", "%00"])
def test_what_is_not_stored_is_not_found(client: Client, sha256: str) -> None:
    assert client.get(f"/pictures/{sha256}/").status_code == 404


def test_the_list_shows_what_came_and_why_nothing_did() -> None:
    picture = PictureFactory.create()
    Picture.objects.create(article=ArticleFactory.create(), status="none", last_error="There is nothing here.")

    page = signed_in("editor").get(LIST).content.decode()

    assert f"/pictures/{picture.media_id}/" in page
    assert "There is nothing here." in page


def test_the_list_costs_the_same_with_many_and_never_reads_the_bytes(django_assert_max_num_queries: Any) -> None:
    client = signed_in("editor")
    PictureFactory.create()
    with django_assert_max_num_queries(20) as few:
        client.get(LIST)
    PictureFactory.create_batch(5)

    with django_assert_max_num_queries(len(few)) as many:
        client.get(LIST)

    assert not any('"body"' in query["sql"] for query in many.captured_queries)


def test_an_editor_has_pictures_fetched_again() -> None:
    picture = PictureFactory.create()
    picture.article.image_url = "http://127.0.0.1:1/a.png"
    picture.article.save()

    signed_in("editor").post(LIST, {"action": "fetch_again", "_selected_action": [picture.pk]})

    picture.refresh_from_db()
    assert (picture.status, picture.media) == (Picture.Status.WANTED, None)
