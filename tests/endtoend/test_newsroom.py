"""From a feed to a post, through every process of the running newsroom."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
from django.utils import timezone

from articles.models import Article
from publishing import approval
from publishing.models import Channel, Publication, SandboxPost
from tests.endtoend.stack import wait_for
from tests.factories import SourceFactory, UserFactory
from tests.fakes import feeds
from tests.fakes.feed_server import FeedServer


@pytest.fixture
def web() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


def fresh_items(site: str, count: int = 4) -> list[feeds.Item]:
    """Invented articles of just now, young enough to be queued, and none a copy of another."""
    words = " ".join(feeds.SENTENCES).lower().replace(".", "").split()
    chance = Random(site)  # noqa: S311  no secret
    return [
        replace(item, published=timezone.now(), text=" ".join(said(chance, words) for _ in range(12)))
        for item in feeds.items(count, site=site)
    ]


def said(chance: Random, words: list[str]) -> str:
    return " ".join(chance.sample(words, 9)).capitalize() + "."


def watch(url: str, slug: str) -> None:
    """A source whose articles go out by themselves."""
    channel, _created = Channel.objects.get_or_create(
        slug="by-itself",
        defaults={"name": "Сама", "auto_approve": Channel.AutoApprove.ALWAYS, "seconds_between_posts": 0},
    )
    channel.sources.add(SourceFactory(slug=slug, url=url, auto_queue=True))


def posted() -> int:
    return SandboxPost.objects.filter(channel__slug="by-itself").count()


def wait_for_posts(at_least: int) -> None:
    wait_for(lambda: posted() >= at_least, f"{at_least} posts")


def test_an_approved_piece_of_the_demo_appears_in_the_sandbox(start):
    stack = start()
    publication = wait_for(Publication.objects.waiting().first, "a publication in the queue")

    approval.approve(publication.pk, by=UserFactory())

    wait_for(lambda: SandboxPost.objects.filter(message__publication=publication).exists(), "its post")
    with urllib.request.urlopen(f"{stack.url}/sandbox/sandbox/") as page:
        assert publication.title in page.read().decode()


def test_every_visible_piece_of_the_demo_is_summarised_and_queued(start):
    start()

    wait_for(lambda: Publication.objects.filter(state=Publication.State.PENDING).count() >= 12, "twelve in the queue")

    assert not Article.objects.filter(summary_text="").exists()
    assert set(Article.objects.values_list("language", flat=True)) == {"ru", "en"}


def test_feeds_of_every_format_become_posts_by_themselves(start, web):
    watch(web.serve("/rss.xml", feeds.rss(fresh_items("https://rss.example"), encoding="windows-1251")), "rss")
    watch(web.serve("/atom.xml", feeds.atom(fresh_items("https://atom.example"))), "atom")
    watch(web.serve("/rdf.xml", feeds.rdf(fresh_items("https://rdf.example"))), "rdf")

    start(arguments=("--no-demo",))

    wait_for_posts(12)
    titles = {item.title for site in ("rss", "atom", "rdf") for item in fresh_items(f"https://{site}.example")}
    assert {text for post in SandboxPost.objects.all() for text in titles if text in str(post.payload)} == titles


def test_the_same_over_a_broker_that_is_a_server(start, web, broker_url, tmp_path):
    watch(web.serve("/rss.xml", feeds.rss(fresh_items("https://rss.example"))), "rss")

    start(arguments=("--no-demo",), CELERY_BROKER_URL=broker_url)

    wait_for_posts(4)
    assert not list((tmp_path / "var" / "broker").glob("*.msg"))


def test_a_worker_killed_again_and_again_loses_and_doubles_nothing(start, web):
    watch(web.serve("/rss.xml", feeds.rss(fresh_items("https://rss.example", count=40))), "rss")
    stack = start(arguments=("--no-demo",))

    for enough in (5, 15, 25):
        wait_for_posts(enough)
        stack.kill("worker")

    wait_for(lambda: Publication.objects.filter(state=Publication.State.PUBLISHED).count() == 40, "forty published")
    assert posted() == 40
