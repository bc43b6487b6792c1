"""An old file as a source: its tables in the order in which they build on each other."""

from __future__ import annotations

from datetime import tzinfo
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.db import models

from articles.models import Article, BackfillRun, DeadLetter, Source
from articles.sites import presets
from publishing.holding import PAUSED_BY_TRANSFER
from publishing.models import Channel, Digest, Publication
from usage.models import ApiUsageEvent
from warandpeace.legacy.articles import Articles
from warandpeace.legacy.families import Families
from warandpeace.legacy.family_stream import FamilyStream
from warandpeace.legacy.ledgers import DailyUsage, Sessions, SessionStatistics, UsageEvents
from warandpeace.legacy.operations import Backfill, DeadLetters, SessionState, Summaries
from warandpeace.legacy.passkeys import Passkeys
from warandpeace.legacy.publications import Digests, PendingPublications
from warandpeace.legacy.stream import LegacyStream, Setting
from warandpeace.transfer.corrections import NONE, Corrections
from warandpeace.transfer.errors import TransferError
from warandpeace.transfer.scope import Scope
from warandpeace.transfer.snapshot import Snapshot
from warandpeace.transfer.target import Target

STREAMS: tuple[type[LegacyStream], ...] = (
    Articles,
    Summaries,
    PendingPublications,
    DeadLetters,
    Digests,
    UsageEvents,
    DailyUsage,
    Sessions,
    SessionStatistics,
    SessionState,
    Backfill,
    Passkeys,
)
SLUG = "warandpeace"
CHANNEL_SLUG = "legacy"
# Numbers for rows that had none begin behind a round million above those that have one.
NUMBERED_WITH = {"articles": "pending_publications", "summaries": "summaries", "publications": "pending_publications"}
NUMBERED_BY = {"articles": "articles", "summaries": "summaries", "publications": "pending_publications"}
MILLION = 1_000_000

Made = TypeVar("Made", Source, Channel)


class LegacySource:
    kind = "legacy"
    must_be_empty: tuple[type[models.Model], ...] = (
        Article,
        Publication,
        Digest,
        DeadLetter,
        BackfillRun,
        ApiUsageEvent,
    )

    def __init__(self, snapshot: Snapshot, zone: tzinfo) -> None:
        self.snapshot, self.label, self.zone = snapshot, snapshot.label, zone
        self.present = snapshot.tables()
        if not {"url", "title", "published_at"} <= set(snapshot.columns("articles")):
            raise TransferError(
                f"{self.label} has a table of articles, but not the old bot's: give --from the right file."
            )
        first = next(snapshot.rows("SELECT rowid, url, published_at FROM articles ORDER BY rowid LIMIT 1"), None)
        self.origin = "legacy-" + sha256(repr(first).encode("utf-8", "surrogateescape")).hexdigest()[:32]

    def counts(self) -> dict[str, int]:
        names = [stream.name for stream in STREAMS if stream.name in self.present]
        return {name: int(self.snapshot.value(f"SELECT count(*) FROM {name}")) for name in names}

    def left_out(self) -> dict[str, tuple[int, str]]:
        known = {stream.name for stream in STREAMS}
        unknown = sorted(name for name in self.present - known if not name.startswith("sqlite_"))
        return {
            name: (int(self.snapshot.value(f'SELECT count(*) FROM "{name}"')), "no table of the old bot")
            for name in unknown
        }

    def prepare(
        self, target: Target | None, settings: dict[str, Any], chosen: set[str], *, is_first: bool
    ) -> dict[str, Any]:
        """The source and the channel that everything belongs to, and the numbering; found or made once."""
        if not is_first:
            return settings
        numbering = {
            name: self._behind(NUMBERED_BY[name]) if NUMBERED_WITH[name] in self.present else 0
            for name in NUMBERED_WITH
        }
        if target is None:
            return {"source": 1, "channel": 1, "numbering": numbering}
        return {"source": self._source(target).pk, "channel": self._channel(target).pk, "numbering": numbering}

    def _behind(self, table: str) -> int:
        greatest = self.snapshot.value(f"SELECT max(rowid) FROM {table}") or 0
        return int((greatest // MILLION + 1) * MILLION)

    def _source(self, target: Target) -> Source:
        url = self.snapshot.value("SELECT url FROM articles WHERE url LIKE 'http%' ORDER BY rowid LIMIT 1")
        parts = urlsplit(url if isinstance(url, str) else "https://www.warandpeace.ru/")
        defaults: dict[str, Any] = {
            "kind": Source.Kind.SITE,
            "name": parts.hostname or SLUG,
            "url": f"{parts.scheme}://{parts.netloc}/",
            "language": "ru",
            "is_active": False,
        }
        if preset := presets.of_address(defaults["url"]):
            described = preset.values()
            defaults |= {name: described[name] for name in ("url", "encoding", "time_zone", "selectors")}
        return _found_or_made(Source, target, SLUG, defaults)

    def _channel(self, target: Target) -> Channel:
        """The one Telegram channel there is; else a paused one for what the old bot has posted."""
        channels = Channel.objects.using(target.alias)
        there = list(channels.filter(kind=Channel.Kind.TELEGRAM)[:2])
        if len(there) == 1:
            return there[0]
        defaults = {
            "kind": Channel.Kind.TELEGRAM,
            "name": "War and Peace",
            "chat_id": django_settings.TELEGRAM_CHANNEL_ID,
            "is_paused": True,
            "pause_reason": PAUSED_BY_TRANSFER,
        }
        return _found_or_made(Channel, target, CHANNEL_SLUG, defaults)

    def streams(
        self,
        target: Target | None,
        scope: Scope,
        settings: dict[str, Any],
        chosen: set[str],
        corrections: Corrections = NONE,
    ) -> list[LegacyStream]:
        setting = Setting(
            snapshot=self.snapshot,
            families=Families(),
            zone=self.zone,
            scope=scope,
            source_id=settings["source"],
            channel_id=settings["channel"],
            numbering=settings["numbering"],
            users=self._users(target),
            corrections=corrections,
        )
        streams = [stream(setting) for stream in STREAMS if stream.name in self.present]
        for stream in streams:
            if isinstance(stream, FamilyStream):
                stream.meet()
        return [stream for stream in streams if stream.name in chosen]

    def _users(self, target: Target | None) -> dict[str, int]:
        if target is None:
            return {}
        return dict(get_user_model()._default_manager.using(target.alias).values_list("username", "pk"))


def _found_or_made(model: type[Made], target: Target, slug: str, values: dict[str, Any]) -> Made:
    """The row with this short name; made without signals, for the history's would write to the configured database."""
    rows = model._default_manager.using(target.alias)
    if not rows.filter(slug=slug).exists():
        rows.bulk_create([model(slug=slug, **values)])
    return rows.get(slug=slug)
