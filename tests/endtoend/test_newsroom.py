"""From a feed to a post, through every process of the running newsroom."""

from __future__ import annotations

import urllib.request

import pytest

from articles.models import Article
from publishing import approval
from publishing.models import Channel, Publication, SandboxPost
from tests.endtoend.stack import wait_for
from tests.factories import ChannelFactory, SourceFactory, UserFactory


def test_an_approved_piece_of_the_demo_appears_in_the_sandbox(start):
    stack = start()
    publication = wait_for(Publication.objects.filter(state=Publication.State.PENDING).first, "a publication in the queue")

    approval.approve(publication.pk, by=UserFactory())

    wait_for(lambda: SandboxPost.objects.filter(message__publication=publication).exists(), "its post")
    with urllib.request.urlopen(f"{stack.url}/sandbox/sandbox/") as page:  # noqa: S310  our own
        assert publication.title in page.read().decode()


def test_every_visible_piece_of_the_demo_is_summarised_and_queued(start):
    start()

    wait_for(lambda: Publication.objects.filter(state=Publication.State.PENDING).count() >= 12, "twelve in the queue")

    assert not Article.objects.filter(summary_text="").exists()
    assert set(Article.objects.values_list("language", flat=True)) == {"ru", "en"}
