"""The rows the first start makes. Each is made once; what a person changed or deleted afterwards stays so."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Replace
from django.utils.translation import gettext as _

from articles.models import Article, Source
from articles.sites.presets import WARANDPEACE
from publishing.models import Channel
from warandpeace.models import Milestone

SLUG = "demo"
MILESTONE = "demo"
FIRST_CHANNEL = "telegram"
FEED_PATH = "/demo/feed.xml"


@transaction.atomic
def create_admin() -> str | None:
    """Make the first login, `admin`, and give its random password; None if there ever was one, or anybody else."""
    if not Milestone.reach("admin") or get_user_model().objects.exists():
        return None
    password = secrets.token_urlsafe(12)
    get_user_model().objects.create_superuser("admin", password=password)
    return password


@transaction.atomic
def create_first_sources() -> None:
    """The first real source and a channel for it, both switched off until somebody switches them on."""
    if not Milestone.reach("first-source"):
        return
    source = Source.objects.create(**WARANDPEACE.values(), is_active=False, auto_queue=True)
    channel = Channel.objects.create(
        kind=Channel.Kind.TELEGRAM,
        slug=FIRST_CHANNEL,
        name="Telegram",
        chat_id=settings.TELEGRAM_CHANNEL_ID,
        is_paused=True,
        pause_reason=_what_is_missing(settings.TELEGRAM_CHANNEL_ID),
    )
    channel.sources.add(source)


def _what_is_missing(chat_id: str) -> str:
    """Why the Telegram channel cannot post yet, in words for the editor who finds it."""
    named = {"TELEGRAM_BOT_TOKEN": settings.TELEGRAM_BOT_TOKEN, "TELEGRAM_CHANNEL_ID": chat_id}
    missing = ", ".join(name for name, value in named.items() if not value)
    if missing:
        return _("Not set up yet: set %(missing)s in the environment, then resume the channel.") % {"missing": missing}
    return _("Ready to go: resume the channel when you want it to post.")


def fill_in_first_channel() -> None:
    """Take what the environment has said since about the first channel, as long as it waits for just that.

    Most people look at the demo first and set up their bot afterwards. A chat that was typed in stays.
    """
    waiting = Channel.objects.filter(slug=FIRST_CHANNEL, is_paused=True, pause_reason__contains="TELEGRAM_")
    if (channel := waiting.first()) is None:
        return
    chat_id = channel.chat_id or settings.TELEGRAM_CHANNEL_ID
    reason = _what_is_missing(chat_id)
    if (chat_id, reason) != (channel.chat_id, channel.pause_reason):
        channel.chat_id, channel.pause_reason = chat_id, reason
        channel.save(update_fields=["chat_id", "pause_reason"])


@transaction.atomic
def create_demo(base_url: str) -> bool:
    """Make the demo's source and its sandbox channel; gives whether it was done now. `base_url`: where we answer."""
    if not Milestone.reach(MILESTONE):
        return False
    source = Source.objects.create(
        slug=SLUG,
        name="Вести Северогавани (демо)",
        url=base_url + FEED_PATH,
        auto_queue=True,
        interval_minutes=1,
    )
    channel = Channel.objects.create(
        kind=Channel.Kind.SANDBOX,
        slug="sandbox",
        name="Песочница",
        footer="@severogavan_demo",
    )
    channel.sources.add(source)
    return True


@transaction.atomic
def follow_address(base_url: str) -> None:
    """Let the demo's feed and its stored articles follow this server to another port, so that none is read twice."""
    source = Source.objects.filter(slug=SLUG, url__endswith=FEED_PATH).exclude(url=base_url + FEED_PATH).first()
    if source is None:
        return
    old = source.url.removesuffix(FEED_PATH)
    Source.objects.filter(pk=source.pk).update(url=base_url + FEED_PATH, etag="", last_modified="", body_hash="")
    Article.objects.filter(source=source, url__startswith=old).update(
        url=Replace(F("url"), Value(old), Value(base_url)),
        canonical_link=Replace(F("canonical_link"), Value(old), Value(base_url)),
    )
