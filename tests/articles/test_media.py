"""Pictures of articles: where they are found, which are taken, and that nothing waits for one for long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from articles import media
from articles.figures import picture_of_page
from articles.media import MOST_ATTEMPTS, Unusable, fetch_picture, read_header
from articles.models import Media, Picture
from tests.factories import ArticleFactory
from tests.fakes.feed_server import FeedServer
from tests.pictures import jpeg_header, png, webp_header

PAGE = "https://news.example/politics/1"


def wanted(**fields: Any) -> Picture:
    return Picture.objects.want(ArticleFactory.create(**fields))


def again(picture: Picture) -> Picture:
    """The picture's step taken once more, as if its pause were over."""
    Picture.objects.filter(pk=picture.pk, status=Picture.Status.WANTED).update(next_step_at=timezone.now())
    fetch_picture(picture.pk)
    return Picture.objects.get(pk=picture.pk)


# --- what is a picture ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (png(400, 200), ("image/png", 400, 200)),
        (jpeg_header(640, 480), ("image/jpeg", 640, 480)),
        (webp_header(300, 200), ("image/webp", 300, 200)),
    ],
    ids=["png", "jpeg", "webp"],
)
def test_type_and_size_are_told_from_the_bytes(body: bytes, expected: tuple[str, int, int]) -> None:
    header = read_header(body)

    assert (header.content_type, header.width, header.height) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>404</html>",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='400' height='400'/>",
        b"GIF89a\x90\x01\x90\x01",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff" + bytes(200),
        b"RIFF\x00\x00\x00\x00WAVE",
        b"\xff\xd8" + b"\xff\xe0\x00\x02" * 400_000 + jpeg_header(640, 480)[2:],
        png(1, 1),
        png(600, 20),
        jpeg_header(9000, 9000),
        jpeg_header(8000, 200),
    ],
    ids=[
        "nothing",
        "page",
        "svg",
        "gif",
        "cut png",
        "cut jpeg",
        "wave",
        "segments",
        "pixel",
        "bar",
        "poster",
        "ribbon",
    ],
)
def test_what_cannot_be_posted_is_no_picture(body: bytes) -> None:
    with pytest.raises(Unusable):
        read_header(body)


@given(st.sampled_from([png(400, 200), jpeg_header(640, 480), webp_header(300, 200)]), st.data())
def test_any_bytes_are_a_picture_or_not(body: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(body) - 1))
    damaged = body[:place] + data.draw(st.binary(max_size=8)) + body[place + 1 :]

    try:
        header = read_header(damaged)
    except Unusable:
        return
    assert min(header.width, header.height) > 0


# --- where it is found ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<meta property="og:image" content="/a.jpg">', "https://news.example/a.jpg"),
        ('<meta name="twitter:image" content="https://cdn.example/b.png">', "https://cdn.example/b.png"),
        (
            '<meta name="twitter:image" content="/no.jpg"><meta property="og:image" content="/yes.jpg">',
            "https://news.example/yes.jpg",
        ),
        (
            '<img src="/logo.png"><article><figure><img src="c.webp"></figure></article>',
            "https://news.example/politics/c.webp",
        ),
        ('<base href="https://cdn.example/x/"><figure><img src="d.jpg"></figure>', "https://cdn.example/x/d.jpg"),
        (
            '<meta property="og:image" content="data:image/png;base64,AA"><main><img src="e.jpg"></main>',
            f"{PAGE[:-1]}e.jpg",
        ),
        ('<meta property="og:image" content=""><figure><img src="javascript:x"></figure>', ""),
        ('<meta property="og:image"><img src="/logo.png"><figure><img src="http://["></figure>', ""),
        ("", ""),
    ],
)
def test_a_page_names_its_picture(html: str, expected: str) -> None:
    assert picture_of_page(html, PAGE) == expected


@pytest.mark.django_db
def test_the_picture_that_the_feed_names_is_stored(server: FeedServer) -> None:
    picture = wanted(image_url=server.serve("/a.png", png(400, 200), content_type="text/plain"))

    assert fetch_picture(picture.pk)

    picture.refresh_from_db()
    assert picture.status == Picture.Status.FETCHED
    assert picture.media is not None
    assert (picture.media.content_type, picture.media.width, picture.media.size) == (
        "image/png",
        400,
        len(png(400, 200)),
    )
    assert Media.objects.body_of(picture.media.sha256) == png(400, 200)


@pytest.mark.django_db
def test_without_one_in_the_feed_the_page_is_asked(server: FeedServer) -> None:
    address = server.serve("/og.png", png(300, 300))
    page = server.serve("/page", f'<meta property="og:image" content="{address}">'.encode(), content_type="text/html")
    picture = wanted(image_url="", url=page)

    fetch_picture(picture.pk)

    picture.refresh_from_db()
    assert (picture.status, picture.url) == (Picture.Status.FETCHED, address)


@pytest.mark.django_db
def test_the_same_bytes_are_stored_once(server: FeedServer) -> None:
    for name in ("/a.png", "/b.png"):
        fetch_picture(wanted(image_url=server.serve(name, png(400, 200))).pk)

    assert Media.objects.count() == 1
    assert Picture.objects.filter(media__isnull=False).count() == 2


@pytest.mark.django_db
def test_the_bytes_stay_in_the_database_unless_they_are_asked_for(server: FeedServer) -> None:
    fetch_picture(wanted(image_url=server.serve("/a.png", png(400, 200))).pk)

    picture = Picture.objects.get()

    assert "body" in Media.objects.get().get_deferred_fields()
    assert picture.media is not None
    assert "body" in picture.media.get_deferred_fields()


# --- what can go wrong ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_is_no_picture_is_given_up_at_once(server: FeedServer) -> None:
    picture = wanted(image_url=server.serve("/a.jpg", b"<html>Forbidden</html>", content_type="image/jpeg"))

    assert fetch_picture(picture.pk)

    picture.refresh_from_db()
    assert (picture.status, picture.next_step_at) == (Picture.Status.NONE, None)
    assert picture.last_error


@pytest.mark.django_db
@pytest.mark.parametrize("status", [404, 410])
def test_what_is_gone_is_given_up_at_once(server: FeedServer, status: int) -> None:
    picture = wanted(image_url=server.serve("/a.jpg", status=status))

    assert again(picture).status == Picture.Status.NONE


@pytest.mark.django_db
def test_a_picture_that_is_too_large_is_given_up_at_once(server: FeedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MAX_BYTES", 100)
    picture = wanted(image_url=server.serve("/a.png", png(400, 200)))

    assert again(picture).status == Picture.Status.NONE
    assert not Media.objects.exists()


@pytest.mark.django_db
def test_a_private_address_is_never_asked(server: FeedServer, settings: Settings) -> None:
    address = server.serve("/a.png", png(400, 200))
    settings.FETCH_ALLOW_PRIVATE = False

    assert again(wanted(image_url=address)).status == Picture.Status.NONE
    assert server.requests == []


@pytest.mark.django_db
def test_a_server_in_trouble_is_asked_again_a_few_times(server: FeedServer) -> None:
    picture = wanted(image_url=server.serve("/a.png", status=503))

    states = [again(picture).status for _attempt in range(MOST_ATTEMPTS)]

    assert states == ["wanted", "wanted", "none"]
    assert len(server.requests) == MOST_ATTEMPTS


@pytest.mark.django_db
def test_a_page_without_a_picture_is_no_error(server: FeedServer) -> None:
    picture = wanted(url=server.serve("/page", b"<p>Text</p>", content_type="text/html"))

    assert again(picture).status == Picture.Status.NONE


@pytest.mark.django_db
def test_a_picture_that_kills_its_worker_is_given_up(server: FeedServer) -> None:
    picture = wanted(image_url=server.serve("/a.png", png(400, 200)))
    Picture.objects.update(attempts=MOST_ATTEMPTS)

    assert again(picture).status == Picture.Status.NONE
    assert server.requests == []


@pytest.mark.django_db
def test_a_picture_under_a_lease_is_left_alone(server: FeedServer) -> None:
    picture = wanted(image_url=server.serve("/a.png", png(400, 200)))
    Picture.objects.update(next_step_at=timezone.now() + timedelta(minutes=1))

    assert not fetch_picture(picture.pk)
    assert server.requests == []


@pytest.mark.django_db
def test_who_has_lost_the_lease_writes_nothing(server: FeedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = wanted(image_url=server.serve("/a.png", png(400, 200)))

    def taken_meanwhile(body: bytes, read: Callable[[bytes], media.Header] = read_header) -> media.Header:
        Picture.objects.update(next_step_at=timezone.now() + timedelta(hours=1))
        return read(body)

    monkeypatch.setattr(media, "read_header", taken_meanwhile)

    assert not fetch_picture(picture.pk)
    assert Picture.objects.get().status == Picture.Status.WANTED


@pytest.mark.django_db
def test_asking_twice_makes_one_row() -> None:
    article = ArticleFactory.create()

    assert Picture.objects.want(article) == Picture.objects.want(article)


@pytest.mark.django_db
def test_nobody_waits_long_for_a_picture() -> None:
    picture = wanted()

    assert picture.is_awaited
    picture.created_at -= timedelta(minutes=6)
    assert not picture.is_awaited
