"""The rest of the old file: dead letters, versions of summaries, the archive's progress, passkeys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import reduce

from articles.models import BackfillRun, DeadLetter
from warandpeace.legacy import clocks
from warandpeace.legacy.article_rows import ERROR_PREFIXES, LEGACY, SUMMARY
from warandpeace.legacy.family_stream import FamilyStream
from warandpeace.legacy.stream import LegacyStream, New, RowStream
from warandpeace.legacy.values import Old, key, number, text
from warandpeace.transfer.blocks import Block
from warandpeace.transfer.errors import Unfit
from warandpeace.transfer.originals import dump_original
from warandpeace.transfer.tables import Table

DEAD_LETTER, BACKFILL = Table(DeadLetter), Table(BackfillRun)
ENTITY_TYPES = {DeadLetter.EntityType.ARTICLE.value, DeadLetter.EntityType.SUMMARY.value}


@dataclass(frozen=True)
class Failure:
    id: int
    entity_type: str
    entity_ref: str
    error_code: str
    error_payload: str
    attempts: int
    first_seen_at: datetime
    last_seen_at: datetime

    def merged_with(self, other: Failure) -> Failure:
        """Both as one: all attempts, the whole span, the latest error."""
        newest = max(self, other, key=lambda each: each.last_seen_at)
        return replace(
            self,
            error_code=newest.error_code,
            error_payload=newest.error_payload,
            attempts=self.attempts + other.attempts,
            first_seen_at=min(self.first_seen_at, other.first_seen_at),
            last_seen_at=newest.last_seen_at,
        )


class DeadLetters(FamilyStream[Failure]):
    """One row a thing; a thing that is an article's number follows the article where that was merged into another."""

    name = "dlq"
    main = DEAD_LETTER
    targets = (DEAD_LETTER,)
    dated = "last_seen_at"
    key_columns = ("entity_type", "entity_ref")
    old_columns = (
        "id",
        "entity_type",
        "entity_ref",
        "error_code",
        "error_payload",
        "attempts",
        "first_seen_at",
        "last_seen_at",
    )

    def family_key(self, old: Old) -> str:
        kind = text(old, "entity_type")
        if kind not in ENTITY_TYPES:
            raise Unfit(f"entity_type is neither article nor summary: {kind[:40]!r}")
        return f"{kind} {self._reference(old)}"

    def _reference(self, old: Old) -> str:
        reference = text(old, "entity_ref")
        if not reference.isdecimal() or len(reference) > 18:  # noqa: PLR2004  more digits than a number of SQLite's has
            return reference
        return str(self.setting.families.leader("articles", int(reference)))

    def understood(self, old: Old) -> Failure:
        first, last = (old[name] for name in ("first_seen_at", "last_seen_at"))
        return Failure(
            id=key(old),
            entity_type=text(old, "entity_type"),
            entity_ref=self._reference(old),
            error_code=text(old, "error_code"),
            error_payload=text(old, "error_payload"),
            attempts=number(old, "attempts", 1),
            first_seen_at=clocks.moment(first or last, "first_seen_at"),
            last_seen_at=clocks.moment(last or first, "last_seen_at"),
        )

    def united(self, members: list[Failure]) -> Iterator[tuple[Failure, list[Failure]]]:
        if members:
            yield reduce(Failure.merged_with, members), members[1:]

    def today(self, failure: Failure) -> New:
        yield (
            DEAD_LETTER,
            DEAD_LETTER.row({name: getattr(failure, name) for name in DEAD_LETTER.columns if hasattr(failure, name)}),
        )


@dataclass(frozen=True)
class Version:
    id: int
    article_id: int
    text: str
    model: str
    provider: str
    prompt_version: str
    number: int
    created_at: datetime


class Summaries(FamilyStream[Version]):
    """Every version of an article's summary, numbered anew in their order; those of merged articles together."""

    name = "summaries"
    main = SUMMARY
    targets = (SUMMARY,)
    dated = "created_at"
    key_columns = ("article_id", "summary_text")
    old_columns = ("id", *key_columns, "model", "provider", "version", "prompt_version", "created_at")

    def family_key(self, old: Old) -> str:
        return str(self.setting.families.leader("articles", key(old, "article_id")))

    def understood(self, old: Old) -> Version:
        article_id, written = int(old["key"]), text(old, "summary_text").strip()
        if not self.setting.families.has("articles", article_id):
            raise Unfit(f"article_id names no article that was taken over: {article_id}")
        if not written or written.startswith(ERROR_PREFIXES):
            raise Unfit("summary_text is an error message, no summary" if written else "summary_text is empty")
        return Version(
            id=key(old),
            article_id=article_id,
            text=written,
            model=text(old, "model"),
            provider=text(old, "provider") or LEGACY,
            prompt_version=text(old, "prompt_version"),
            number=number(old, "version"),
            created_at=clocks.moment(old["created_at"], "created_at"),
        )

    def united(self, members: list[Version]) -> Iterator[tuple[Version, list[Version]]]:
        by_age = sorted(members, key=lambda each: (each.number, each.created_at, each.id))
        for place, each in enumerate(by_age, start=1):
            yield replace(each, number=place), []

    def today(self, version: Version) -> New:
        values = {name: getattr(version, name) for name in SUMMARY.columns if hasattr(version, name)}
        yield SUMMARY, SUMMARY.row(values | {"version": version.number})


class Backfill(RowStream):
    """One walk through the archive, paused; everything the old row said stays in its checkpoint."""

    name = "backfill_progress"
    main = BACKFILL
    targets = (BACKFILL,)
    old_columns = (
        "id",
        "collect_running",
        "collect_until",
        "collect_scanning",
        "collect_scan_page",
        "collect_last_page",
        "collect_processed",
        "collect_last_ts",
        "collect_goal_pages",
        "collect_goal_total",
        "sum_running",
        "sum_until",
        "sum_processed",
        "sum_last_article_id",
        "sum_model",
        "sum_goal_total",
        "updated_at",
    )

    def convert(self, old: Old) -> New:
        updated = clocks.moment(old["updated_at"], "updated_at")
        first, last = sorted([self._day(old, "collect_until", updated), self._day(old, "collect_last_ts", updated)])
        said = {name: old[name] for name in self.old_columns if old[name] is not None}
        values = {
            "id": key(old),
            "source_id": self.setting.source_id,
            "date_from": first,
            "date_to": last,
            "state": BackfillRun.State.PAUSED.value,
            "checkpoint": {LEGACY: dump_original(said)},
            "goal": old["collect_goal_total"],
            "pages": number(old, "collect_last_page"),
            "created_count": number(old, "collect_processed"),
            "created_at": updated,
        }
        return [(BACKFILL, BACKFILL.row(values))]

    def _day(self, old: Old, name: str, otherwise: datetime) -> date:
        return clocks.moment_or(old[name], name, otherwise).date()


class SessionState(LegacyStream):
    """The old process's own counter between two of its restarts: there is nothing today that would go on from it."""

    name = "session_stats_state"
    main = BACKFILL
    targets = ()
    old_columns = ("id", "last_session_start", "last_http_counter")
    REASON = "the old process's counter since its last start, which today's metrics do not have"

    def fill(self, block: Block, low: int, high: int) -> None:
        for _ in self.rows("WHERE rowid >= ? AND rowid < ?", [low, high]):
            block.read += 1
            block.skipped[self.REASON] += 1
