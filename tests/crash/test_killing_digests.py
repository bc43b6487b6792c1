"""SIGKILL at every statement and around every call of a model: one current digest, one bill a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone

from publishing import digests
from publishing.models import Digest, DigestSection, Publication
from tests.crash.conftest import Sender, statements
from tests.fakes.llm_server import LlmServer
from tests.publishing.newsroom import finished, news, newsroom, yesterday
from usage import environment
from usage.models import ApiUsageEvent, Provider

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(3600)]

Start = Callable[[], Sender]
SECTIONS = 2


@pytest.fixture
def server() -> Iterator[LlmServer]:
    with LlmServer() as running:
        yield running


@pytest.fixture
def keys(server: LlmServer, settings: object) -> dict[str, object]:
    """What the environment of all processes says of the server of models."""
    named: dict[str, object] = {"GEMINI_BASE_URL": server.url, "GOOGLE_API_KEYS": ["a-key"]}
    for name, value in named.items():
        setattr(settings, name, value)
    provider = Provider.objects.create(name="gemini", kind=Provider.Kind.OPENAI, base_url=server.url, model="flash")
    environment.sync_keys(provider)
    return named


def waiting() -> Digest:
    channel = newsroom()
    news(channel, number=SECTIONS)
    return digests.request("daily", channel, yesterday())


def leases_run_out() -> None:
    Digest.objects.filter(next_step_at__isnull=False).update(next_step_at=timezone.now())


def check(digest: Digest) -> None:
    """Whatever happened, the digest is there once, whole, with its post."""
    assert digest.state == Digest.State.READY
    assert list(Digest.objects.of_period(digest).filter(is_current=True)) == [digest]
    assert digest.sections.count() == SECTIONS
    assert not DigestSection.objects.filter(text="").exists()
    assert Publication.objects.get(digest=digest).text == digest.text


def test_a_writer_may_die_before_any_statement(start: Start) -> None:
    sender = start()
    for statement in statements(step=6):
        digest = waiting()
        sender.begin(digest=digest.pk, statement=statement)
        is_dead = sender.end() < 0

        leases_run_out()
        check(finished(digest))
        assert ApiUsageEvent.objects.filter(subject=f"digest:{digest.pk}").count() <= SECTIONS + is_dead
        if not is_dead:
            break

    assert sender.kills > 3


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_writer_that_dies_around_the_call_costs_one_call_at_most(
    start: Start, server: LlmServer, keys: dict[str, object], when: str
) -> None:
    digest, sender = waiting(), start()
    for _writer in range(2):
        sender.begin(digest=digest.pk, settings=keys, call=when)
        assert sender.end() < 0
        leases_run_out()

    check(finished(digest))

    lost = 2 if when == "after" else 0
    calls = ApiUsageEvent.objects.filter(subject=f"digest:{digest.pk}", provider="gemini")
    assert calls.count() == server.book.requests == SECTIONS + lost
    assert set(digest.sections.values_list("provider", flat=True)) == {"gemini"}
