"""`manage.py publish`, and what becomes of two hundred publications whose sender is killed again and again."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from publishing.approval import approve
from publishing.models import Channel, Message, Publication, SandboxPost
from tests.endtoend.stack import database_url
from tests.factories import ArticleFactory, ChannelFactory, PublicationFactory
from tests.fakes.bot_api import Fault, bot_api

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parents[2]


def approved(channel: Channel, count: int = 1) -> None:
    article = ArticleFactory.create()
    for number in range(count):
        article.pk, article.canonical_link, article.title = None, f"https://news.example/n{number}", f"Новость {number}"
        article.save(force_insert=True)
        approve(PublicationFactory.create(channel=channel, article=article).pk, by=None)


def publish(*arguments: str) -> tuple[list[str], int]:
    """What the command prints, and its exit status."""
    output = StringIO()
    try:
        call_command("publish", *arguments, stdout=output)
    except CommandError as error:
        return output.getvalue().splitlines(), error.returncode
    return output.getvalue().splitlines(), 0


def test_each_message_is_named_and_the_last_line_counts() -> None:
    channel = ChannelFactory.create(slug="news")
    approved(channel, 2)

    lines, status = publish()

    assert lines == [
        "sent to news: Новость 0",
        "sent to news: Новость 1",
        "channels=1 sent=2 waiting=0 unknown=0 failed=0",
    ]
    assert status == 0


def test_a_dry_run_sends_nothing() -> None:
    approved(ChannelFactory.create(slug="news"))

    lines, status = publish("--dry-run")

    assert lines == ["would send to news: Новость 0", "channels=1 sent=0 waiting=1 unknown=0 failed=0"]
    assert (status, SandboxPost.objects.count()) == (0, 0)


def test_only_the_named_channel_is_served() -> None:
    approved(ChannelFactory.create(slug="news"))
    quiet = ChannelFactory.create(slug="quiet")

    lines, _status = publish("--channel", quiet.slug)

    assert lines == ["channels=0 sent=0 waiting=0 unknown=0 failed=0"]


def test_an_unknown_channel_is_refused() -> None:
    with pytest.raises(CommandError, match="There is no channel 'nope'"):
        call_command("publish", "--channel", "nope")


def test_a_failure_shows_in_the_exit_status(settings: Settings) -> None:
    approved(ChannelFactory.create(kind=Channel.Kind.TELEGRAM, chat_id="@news", slug="news"))
    with bot_api(Fault.DROP) as api:
        settings.TELEGRAM_API_BASE_URL = api.url
        settings.TELEGRAM_TOKENS = {"TELEGRAM_BOT_TOKEN": "123456:canary"}

        lines, status = publish()

    assert lines[-1] == "channels=1 sent=0 waiting=0 unknown=1 failed=0"
    assert status == 1


def test_two_hundred_publications_survive_a_sender_that_is_killed_again_and_again() -> None:
    approved(ChannelFactory.create(), 200)
    chance, kills = random.Random(7), 0  # noqa: S311  a repeatable test, no secret

    while Publication.objects.filter(state__in=Publication.IN_LINE).exists():
        # As if the leases of the one that was killed had run out.
        Message.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
        kills += killed_after(chance.randint(20, 70), chance.uniform(0, 0.01))

    posts = Counter(SandboxPost.objects.values_list("message", flat=True))
    sent = Message.objects.filter(state=Message.State.SENT)
    assert kills >= 3
    assert set(posts.values()) == {1}
    assert len(posts) == sent.count() == 200


def killed_after(messages: int, seconds: float) -> bool:
    """Run the sender in a process of its own, and kill it so long after so many messages; False if it ends before."""
    environment = os.environ | {"TEST_DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    with subprocess.Popen(
        [sys.executable, "manage.py", "publish"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as sender:
        assert sender.stdout
        lines = [line for _number, line in zip(range(messages), sender.stdout, strict=False)]
        if len(lines) < messages:
            return False
        sender_ended = _ended_within(sender, seconds)
        sender.kill()
    return not sender_ended


def _ended_within(sender: subprocess.Popen[str], seconds: float) -> bool:
    try:
        sender.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
