"""completion: an announced article gets the text of its page, or does with what its feed brought."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.utils import timezone, translation

from articles import completion, http
from articles.completion import LEASE, MOST_ATTEMPTS, NoText, complete_article
from articles.models import Article, DeadLetter, Source
from articles.sites.pages import Found
from articles.storing import fingerprint
from tests.factories import ArticleFactory
from tests.fakes.feed_server import FeedServer
from tests.fakes.feeds import SENTENCES, story

pytestmark = pytest.mark.django_db

MENU = "<nav><a href='/'>Главная</a><a href='/news'>Новости</a></nav><footer>© 2026</footer>"
PAGE = (
    f"<!doctype html><html><head><title>Порт</title>{{}}</head><body>{MENU}"
    f"<h1>Порт</h1><article>{story(1, 900)}</article></body></html>"
)

NewArticle = Callable[..., Article]


@pytest.fixture
def new_article(server: FeedServer) -> NewArticle:
    """Gives an article whose page is still to be fetched: what the server says there, and its fields."""

    def make(body: bytes = b"", *, article: dict[str, Any] | None = None, **answer: Any) -> Article:
        url = server.serve("/article", body, **{"content_type": "text/html", **answer})
        fields = {"status": "new", "content": "", "lead": "", "summary_text": "", "next_step_at": timezone.now()}
        return ArticleFactory(url=url, **{**fields, **(article or {})})

    return make


def again(article: Article) -> Article:
    return Article.objects.get(pk=article.pk)


def time_to_next_step(article: Article) -> timedelta:
    next_step_at = again(article).next_step_at
    assert next_step_at is not None
    return next_step_at - timezone.now()


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1251", "koi8-r"])
def test_the_text_comes_from_the_page_in_any_encoding(new_article: NewArticle, encoding: str) -> None:
    page = PAGE.format(f'<meta charset="{encoding}">').encode(encoding, "xmlcharrefreplace")
    article = new_article(page)

    assert complete_article(article.pk)

    article = again(article)
    assert SENTENCES[7] in article.content
    assert "Главная" not in article.content
    assert "\n\n" in article.content
    assert (article.status, article.content_hash) == ("ready", fingerprint(article.content))
    assert article in Article.objects.due()


def test_a_source_that_does_not_summarise_has_the_article_stored(new_article: NewArticle) -> None:
    article = new_article(PAGE.encode())
    article.source.auto_summarise = False
    article.source.save()

    assert complete_article(article.pk)

    assert (again(article).status, again(article).next_step_at) == ("stored", None)


def test_a_longer_text_of_the_feed_is_kept(new_article: NewArticle) -> None:
    longer = "Порт увеличил перевалку угля. " * 100
    article = new_article(PAGE.encode(), article={"content": longer})

    complete_article(article.pk)

    assert again(article).content == longer


def test_a_failure_is_tried_again_later_and_later(new_article: NewArticle) -> None:
    article = new_article(status=503)
    waits = []

    for _attempt in range(3):
        Article.objects.update(next_step_at=timezone.now())
        assert not complete_article(article.pk)
        waits.append(round(time_to_next_step(article) / timedelta(minutes=1)))

    assert waits == [2, 4, 8]
    assert (again(article).status, again(article).attempts) == ("new", 3)
    assert "503" in again(article).last_error


def test_retry_after_is_obeyed(new_article: NewArticle) -> None:
    article = new_article(status=429, headers={"Retry-After": "7200"})

    complete_article(article.pk)

    assert time_to_next_step(article) > timedelta(minutes=115)


@pytest.mark.parametrize("given", [{"lead": "Лид."}, {"content": "Текст из ленты.", "lead": "Лид."}])
def test_after_the_last_attempt_the_feeds_text_has_to_do(new_article: NewArticle, given: dict[str, str]) -> None:
    article = new_article(status=404, article={"attempts": MOST_ATTEMPTS - 1, **given})

    assert complete_article(article.pk)

    article = again(article)
    assert (article.status, article.content, article.attempts) == ("ready", given.get("content", ""), 0)
    assert not DeadLetter.objects.exists()


def test_without_any_text_the_article_is_given_up_with_a_dead_letter(new_article: NewArticle) -> None:
    article = new_article(status=404, article={"attempts": MOST_ATTEMPTS - 1})

    assert not complete_article(article.pk)

    letter = DeadLetter.objects.get()
    assert (again(article).status, again(article).next_step_at) == ("failed", None)
    assert (letter.entity_type, letter.entity_ref, letter.error_code) == ("page", article.url, "HTTP 404")
    assert letter.attempts == MOST_ATTEMPTS


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "text/html"),
        (MENU.encode(), "text/html"),
        (b"%PDF-1.4", "application/pdf"),
        (b"\x00\xff" * 99, "text/html"),
    ],
)
def test_a_page_without_an_article_is_a_failure(new_article: NewArticle, body: bytes, content_type: str) -> None:
    article = new_article(body, content_type=content_type)

    assert not complete_article(article.pk)

    assert again(article).last_error


@pytest.mark.parametrize(
    "fields", [{"status": "ready"}, {"next_step_at": None}, {"next_step_at": timezone.now() + timedelta(days=1)}]
)
def test_only_what_is_due_is_taken(new_article: NewArticle, server: FeedServer, fields: dict[str, Any]) -> None:
    article = new_article(PAGE.encode(), article=fields)

    assert not complete_article(article.pk)
    assert not server.requests


def test_a_server_that_must_not_be_asked_yet_is_nobodys_failure(
    new_article: NewArticle, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = new_article(PAGE.encode())
    with monkeypatch.context() as resting:
        resting.setattr(completion, "read_page", Mock(side_effect=http.HostRests("Later.", timedelta(minutes=5))))
        for _turn in range(MOST_ATTEMPTS + 1):
            assert not complete_article(article.pk)
            assert timedelta(minutes=4) < time_to_next_step(article) <= timedelta(minutes=5)
            Article.objects.update(next_step_at=timezone.now())

    assert complete_article(article.pk)
    assert not DeadLetter.objects.exists()


def test_the_article_is_leased_while_its_page_is_fetched(
    new_article: NewArticle, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = new_article(PAGE.encode())
    seen: list[tuple[int, timedelta]] = []

    def look(source: Source, url: str) -> Found:
        seen.append((again(article).attempts, time_to_next_step(article)))
        return Found(text=story(1, 900))

    monkeypatch.setattr(completion, "read_page", look)

    complete_article(article.pk)

    [(attempts, lease)] = seen
    assert attempts == 1
    assert LEASE - timedelta(minutes=1) < lease <= LEASE


def test_a_text_that_comes_after_the_lease_was_lost_is_dropped(
    new_article: NewArticle, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = new_article(PAGE.encode())

    def slow(source: Source, url: str) -> Found:
        Article.objects.update(status="ready", content="От другого.", next_step_at=timezone.now())
        return Found(text="Поздно.")

    monkeypatch.setattr(completion, "read_page", slow)

    assert not complete_article(article.pk)
    assert again(article).content == "От другого."


@pytest.mark.django_db
def test_a_page_without_text_is_told_in_a_sentence(new_article: NewArticle) -> None:
    article = new_article(MENU.encode())

    with translation.override("en"), pytest.raises(NoText, match="No article was found on the page"):
        completion.read_page(article.source, article.url)


@pytest.mark.django_db
def test_robots_txt_holds_for_the_pages_of_feeds_too(new_article: NewArticle, server: FeedServer) -> None:
    server.serve("/robots.txt", b"User-agent: *\nDisallow: /", content_type="text/plain")
    article = new_article(PAGE.encode(), article={"lead": "Порт закрыт."})

    complete_article(article.pk)

    assert "robots.txt" in again(article).last_error
    assert "/article" not in [request.path for request in server.requests]


@pytest.mark.django_db
def test_a_source_may_read_against_robots_txt(new_article: NewArticle, server: FeedServer) -> None:
    server.serve("/robots.txt", b"User-agent: *\nDisallow: /", content_type="text/plain")
    article = new_article(PAGE.encode())
    Source.objects.update(obey_robots=False)

    assert complete_article(article.pk)


@pytest.mark.django_db
def test_a_page_that_breaks_its_readers_costs_the_article_an_attempt(new_article: NewArticle) -> None:
    article = new_article(b"<p>a b c</p>" * 300_000)

    complete_article(article.pk)

    assert (again(article).status, again(article).attempts) == ("new", 1)
    assert again(article).last_error
