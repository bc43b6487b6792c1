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
from tests.endtoend.stack import database_url, wait_for
from tests.factories import ArticleFactory, ChannelFactory, PublicationFactory
from tests.fakes.bot_api import Fault, bot_api

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parents[2]


def approved(channel: Channel, count: int = 1, *, first: int = 0) -> None:
    article = ArticleFactory.create()
    for number in range(first, first + count):
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
    channel, count = ChannelFactory.create(), 200
    approved(channel, count)
    chance, kills = random.Random(7), 0  # noqa: S311  a repeatable test, no secret

    while (is_in_line := Publication.objects.filter(state__in=Publication.IN_LINE).exists()) or kills < 3:
        if not is_in_line:
            # On a busy machine the senders were through before they could be killed.
            approved(channel, 100, first=count)
            count += 100
        # As if the leases of the one that was killed had run out.
        Message.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
        kills += killed_after(chance.randint(20, 70), chance.uniform(0, 0.01))

    posts = Counter(SandboxPost.objects.values_list("message", flat=True))
    sent = Message.objects.filter(state=Message.State.SENT)
    assert set(posts.values()) == {1}
    assert len(posts) == sent.count() == count


def test_a_sender_killed_while_telegram_was_called_leaves_one_post_and_an_open_question(tmp_path: Path) -> None:
    approved(ChannelFactory.create(kind=Channel.Kind.TELEGRAM, chat_id="@news"))
    with bot_api(Fault.HANG) as api:
        environment = {"TELEGRAM_BOT_TOKEN": "123456:canary", "TELEGRAM_API_BASE_URL": api.url}
        with sender(DJANGO_SETTINGS_MODULE="warandpeace.settings", VAR_DIR=str(tmp_path), **environment) as process:
            wait_for(lambda: api.ledger, "the post")
            process.kill()
        Message.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
        with sender(DJANGO_SETTINGS_MODULE="warandpeace.settings", VAR_DIR=str(tmp_path), **environment) as process:
            output, _nothing = process.communicate()

    assert output.splitlines()[-1] == "channels=0 sent=0 waiting=0 unknown=1 failed=0"
    assert len(api.ledger) == 1


def sender(**environment: str) -> subprocess.Popen[str]:
    """`manage.py publish` in a process of its own, on the test's database."""
    database = {"TEST_DATABASE_URL": database_url(), "DATABASE_URL": database_url()}
    return subprocess.Popen(
        [sys.executable, "manage.py", "publish"],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"} | database | environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def killed_after(messages: int, seconds: float) -> bool:
    """Run the sender, and kill it so long after so many messages; False if it ends before."""
    with sender() as process:
        assert process.stdout
        lines = [line for _number, line in zip(range(messages), process.stdout, strict=False)]
        if len(lines) < messages or _ends_within(process, seconds):
            return False
        process.kill()
    return True


def _ends_within(process: subprocess.Popen[str], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
