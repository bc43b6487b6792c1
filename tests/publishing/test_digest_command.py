"""`manage.py digest`, as an operator runs it."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from publishing.models import Digest, Publication
from tests.publishing.newsroom import news, newsroom, yesterday
from usage import llm
from usage.models import ApiUsageEvent

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("digest", *arguments, stdout=out)
    return out.getvalue()


def test_yesterday_is_told_and_waits_for_an_editor() -> None:
    channel = newsroom(slug="main")
    news(channel)

    said = run("daily")

    assert said.endswith("digests=1 empty=0 failed=0 unfinished=0 approved=0\n")
    assert Digest.objects.get().period_start == yesterday()
    assert Publication.objects.get().state == Publication.State.PENDING


def test_it_is_approved_where_that_is_asked_for() -> None:
    channel = newsroom()
    news(channel)

    assert "approved=1" in run("daily", "--publish", "--channel", channel.slug)


def test_only_the_channel_that_was_named_gets_one() -> None:
    newsroom()
    channel = newsroom(slug="main")
    news(channel)

    run("weekly", "--channel", "main", "--date", str(yesterday()))

    assert Digest.objects.get().channel == channel


def test_a_dry_run_tells_what_it_would_be_made_of_and_changes_nothing() -> None:
    channel = newsroom()
    titles = [article.title for article in news(channel)]

    said = run("daily", "--dry-run")

    assert all(f"{title} (1)" in said for title in titles)
    assert said.endswith("would_write_digests=1 sections=3\n")
    assert not Digest.objects.exists()
    assert not ApiUsageEvent.objects.exists()


def test_an_empty_period_is_no_failure() -> None:
    newsroom()

    assert "digests=0 empty=1" in run("daily")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["hourly"], "invalid choice: 'hourly'"),
        (["daily", "--date", "22.11.2026"], "is not a date; write YYYY-MM-DD"),
        (["daily", "--date", "9999-12-31"], "out of reach"),
        (["daily", "--channel", "nowhere"], "There is no channel 'nowhere'"),
        (["annual", "--date", f"{timezone.localdate().year + 2}-01-01"], "lies ahead"),
    ],
)
def test_a_mistake_gets_a_sentence(arguments: list[str], sentence: str) -> None:
    newsroom()

    with pytest.raises(CommandError, match=sentence):
        run(*arguments)


def test_a_digest_that_could_not_be_written_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_options: Any) -> llm.Completion:
        raise llm.ProviderFailed("no luck")

    monkeypatch.setattr(llm, "complete", fail)
    news(newsroom())

    with pytest.raises(CommandError, match="workers try again"):
        run("daily")
