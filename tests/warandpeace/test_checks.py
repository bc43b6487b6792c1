from __future__ import annotations

import re

import pytest
from django.core.checks import CheckMessage, run_checks
from django.db import connection
from django.test.utils import CaptureQueriesContext

from publishing.models import Channel
from tests.factories import ChannelFactory
from warandpeace.checks import channels_have_tokens


def ids(messages: list[CheckMessage]) -> set[str | None]:
    return {message.id for message in messages if (message.id or "").startswith("warandpeace.")}


def test_the_default_configuration_is_fine():
    assert ids(run_checks()) == set()


def test_w004_backups_that_everybody_can_read(settings):
    without = ids(run_checks(include_deployment_checks=True))
    settings.BACKUP_RECIPIENTS = ["age1..."]

    assert "warandpeace.W004" in without
    assert "warandpeace.W004" not in ids(run_checks(include_deployment_checks=True))


def test_w001_sqlite_with_a_remote_broker(settings):
    settings.IS_EMBEDDED = True
    settings.CELERY_BROKER_URL = "redis://broker/0"

    assert ids(run_checks()) == {"warandpeace.W001"}


def test_w002_nobody_may_command_the_bot(settings):
    settings.TELEGRAM_BOT_TOKEN = "1:a"

    assert "warandpeace.W002" in ids(run_checks(include_deployment_checks=True))


@pytest.mark.django_db
def test_w003_a_telegram_channel_without_its_token():
    ChannelFactory(kind=Channel.Kind.TELEGRAM, token_env="TELEGRAM_NEWS_TOKEN")

    assert ids(run_checks(databases=["default"])) == {"warandpeace.W003"}


@pytest.mark.django_db
def test_a_paused_channel_needs_no_token():
    ChannelFactory(kind=Channel.Kind.TELEGRAM, is_paused=True)

    assert ids(run_checks(databases=["default"])) == set()


@pytest.mark.django_db
def test_a_new_database_without_tables_can_be_checked(monkeypatch):
    ChannelFactory(kind=Channel.Kind.TELEGRAM, token_env="TELEGRAM_NEWS_TOKEN")
    monkeypatch.setattr(connection.introspection, "table_names", list)

    assert ids(run_checks(databases=["default"])) == set()


@pytest.mark.django_db
def test_an_upgrade_may_check_channels_before_it_has_made_their_newest_columns():
    with CaptureQueriesContext(connection) as queries:
        channels_have_tokens(databases=["default"])

    selected = re.findall(r'"publishing_channel"\."(\w+)"', queries[-1]["sql"])
    assert set(selected) == {"slug", "token_env", "kind", "is_paused", "name"}


@pytest.mark.parametrize(
    ("address", "secret", "expected"),
    [
        ("https://news.example/telegram/webhook/", "a_secret-1", set()),
        ("http://news.example/telegram/webhook/", "a_secret-1", {"warandpeace.E003"}),
        ("https://news.example/telegram/webhook/", "two words", {"warandpeace.E004"}),
        ("", "two words", set()),
    ],
)
def test_a_webhook_must_be_one_that_telegram_takes(settings, address, secret, expected):
    settings.TELEGRAM_WEBHOOK_URL, settings.TELEGRAM_WEBHOOK_SECRET = address, secret

    assert ids(run_checks()) == expected
