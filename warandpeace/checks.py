"""System checks: mistakes in the configuration, each with an id and a hint. `manage.py check` shows them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004  Django's own name
from django.db import connection

from publishing.models import Channel

WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


@register(Tags.compatibility)
def broker_suits_database(**options: Any) -> list[CheckMessage]:
    """Several machines may share a broker, but never a SQLite file."""
    if not settings.IS_EMBEDDED or settings.CELERY_BROKER_URL == "filesystem://":
        return []
    return [
        Warning(
            "CELERY_BROKER_URL names a server, but the database is a SQLite file of this machine.",
            hint="Set DATABASE_URL to PostgreSQL before a worker runs on another machine.",
            id="warandpeace.W001",
        )
    ]


@register(Tags.security, deploy=True)
def administrators_are_named(**options: Any) -> list[CheckMessage]:
    if not settings.TELEGRAM_BOT_TOKEN or settings.TELEGRAM_ADMIN_IDS:
        return []
    return [
        Warning(
            "The bot has a token, but nobody is named who may command it.",
            hint="Set TELEGRAM_ADMIN_IDS to the numbers of the Telegram users who may, separated by commas.",
            id="warandpeace.W002",
        )
    ]


@register(Tags.security, deploy=True)
def backups_are_encrypted(**options: Any) -> list[CheckMessage]:
    if settings.BACKUP_RECIPIENTS:
        return []
    return [
        Warning(
            "Backups are not encrypted: whoever gets hold of one reads everything.",
            hint="Set BACKUP_RECIPIENTS to a public key of yours (age1…), and keep its private key off this machine.",
            id="warandpeace.W004",
        )
    ]


@register(Tags.security)
def webhook_is_one_of_telegrams_kind(**options: Any) -> list[CheckMessage]:
    """Telegram refuses any other address or secret, and `runbot` could only say so again and again."""
    found: list[CheckMessage] = []
    address = settings.TELEGRAM_WEBHOOK_URL
    if address and not address.startswith("https://"):
        hint = "Use https://, the domain of this installation and /telegram/webhook/."
        found.append(Error("TELEGRAM_WEBHOOK_URL is no https address.", hint=hint, id="warandpeace.E003"))
    if address and not WEBHOOK_SECRET.fullmatch(settings.TELEGRAM_WEBHOOK_SECRET):
        hint = "Use 1 to 256 of A-Z, a-z, 0-9, _ and -, or leave it empty."
        found.append(Error("TELEGRAM_WEBHOOK_SECRET is none that Telegram takes.", hint=hint, id="warandpeace.E004"))
    return found


@register(Tags.database)
def channels_have_tokens(databases: Sequence[str] | None = None, **options: Any) -> list[CheckMessage]:
    """Run by `migrate` and `check --database default`: it reads the channels' rows."""
    if not databases or "default" not in databases:
        return []
    if Channel._meta.db_table not in connection.introspection.table_names():
        # `migrate` runs the checks first, on a new database too.
        return []
    # Only these columns: an upgrade's `migrate` checks before it has made the newer ones.
    telegram = Channel.objects.filter(kind=Channel.Kind.TELEGRAM, is_paused=False).values_list("slug", "token_env")
    return [
        Warning(
            f"The channel {slug} posts to Telegram, but {token_env} is not set.",
            hint="Set it in the environment of web, worker and bot, or pause the channel.",
            id="warandpeace.W003",
        )
        for slug, token_env in telegram
        if token_env not in settings.TELEGRAM_TOKENS
    ]
