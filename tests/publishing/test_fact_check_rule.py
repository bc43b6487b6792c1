"""A channel that approves by itself leaves to editors what the fact check doubts."""

from __future__ import annotations

import pytest
from django.utils import timezone

from articles.models import Article, Summary
from publishing.models import Channel, Publication
from publishing.queueing import queue_ready
from tests.factories import ArticleFactory, ChannelFactory

DOUBT = {"kind": "number", "text": "21", "start": 0, "end": 2}

pytestmark = pytest.mark.django_db


def offered(findings: list[dict[str, object]]) -> Article:
    article: Article = ArticleFactory(offered_at=timezone.now())
    channel: Channel = ChannelFactory(auto_approve=Channel.AutoApprove.ALWAYS)
    channel.sources.add(article.source)
    Summary.objects.create(article=article, version=1, text=article.summary_text, findings=findings)
    return article


def test_what_the_source_does_not_support_waits_for_an_editor() -> None:
    offered([DOUBT])

    queue_ready()

    publication = Publication.objects.get()
    assert publication.state == Publication.State.PENDING
    assert publication.last_error


@pytest.mark.parametrize("findings", [[], [{"kind": "length", "text": "10", "start": 0, "end": 9}]])
def test_what_is_supported_goes_out_by_itself(findings: list[dict[str, object]]) -> None:
    offered(findings)

    queue_ready()

    assert Publication.objects.get().state != Publication.State.PENDING
