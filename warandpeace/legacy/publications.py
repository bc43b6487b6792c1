"""The old bot's queue and its digests. Nothing of it is sent: what waited is held until a person releases it."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from publishing.holding import HELD_BY_TRANSFER
from publishing.models import Digest, Publication
from warandpeace.legacy import clocks
from warandpeace.legacy.article_rows import ARTICLE, PUBLICATION, SUMMARY, article_row, summary_of, summary_row
from warandpeace.legacy.family_stream import FamilyStream, MergedInto
from warandpeace.legacy.links import link_of
from warandpeace.legacy.stream import New
from warandpeace.legacy.values import Old, key, number, text
from warandpeace.transfer.errors import Unfit
from warandpeace.transfer.tables import Table

DIGEST = Table(Digest)
SIX_DAYS = timedelta(days=6)
PERIOD = re.compile(r"(?P<kind>daily|weekly|monthly|annual)_(?P<year>\d{4})(?:-(?P<month>\d\d))?(?:-(?P<day>\d\d))?")


@dataclass(frozen=True)
class Waiting:
    """One row of the old queue. `article_id` is None where the article itself isn't in the file."""

    id: int
    article_id: int | None
    link: str
    url: str
    title: str
    summary: str
    published_at: datetime
    created_at: datetime
    updated_at: datetime
    error: str


class PendingPublications(FamilyStream[Waiting]):
    name = "pending_publications"
    main = PUBLICATION
    targets = (ARTICLE, SUMMARY, PUBLICATION)
    dated = "created_at"
    key_columns = ("url",)
    old_columns = (
        "id",
        "url",
        "title",
        "published_at",
        "summary_text",
        "attempts",
        "last_error",
        "created_at",
        "updated_at",
    )

    def family_key(self, old: Old) -> str:
        return link_of(old["url"])

    def understood(self, old: Old) -> Waiting:
        published = clocks.moment(old["published_at"], "published_at", self.setting.zone)
        created = clocks.moment_or(old["created_at"], "created_at", published)
        attempts, error = number(old, "attempts"), text(old, "last_error")
        numbers = self.setting.families.members("articles", old["key"])
        if numbers and self._was_posted(numbers):
            raise MergedInto(f"article {numbers[0]}, which had been posted")
        title = text(old, "title")
        if not title:
            raise Unfit("title is empty")
        return Waiting(
            id=key(old),
            article_id=numbers[0] if numbers else None,
            link=old["key"],
            url=text(old, "url"),
            title=title,
            summary=summary_of(old),
            published_at=published,
            created_at=created,
            updated_at=clocks.moment_or(old["updated_at"], "updated_at", created),
            error=f"{error} (attempts: {attempts})" if error else "",
        )

    def _was_posted(self, numbers: list[int]) -> bool:
        """Whether today's article counts as posted: one of the rows it was made of has a summary and no content."""
        leader = self.setting.families.leader("articles", numbers[0])
        names, sql = self.setting.snapshot.columns("articles"), "SELECT * FROM articles WHERE rowid = ?"
        members = self.setting.families.twin_numbers("articles", leader) or numbers
        rows = (
            dict(zip(names, row, strict=True)) for each in members for row in self.setting.snapshot.rows(sql, [each])
        )
        return any(row.get("summary_text") and summary_of(row) and not row.get("content") for row in rows)

    def united(self, members: list[Waiting]) -> Iterator[tuple[Waiting, list[Waiting]]]:
        if members:
            error = next((each.error for each in members if each.error), "")
            summary = next((each.summary for each in members if each.summary), "")
            yield replace(members[0], error=error, summary=summary), members[1:]

    def today(self, waiting: Waiting) -> New:
        article_id = waiting.article_id
        if article_id is None:
            article_id = self.setting.numbering["articles"] + waiting.id
            yield ARTICLE, self._article(waiting, article_id)
            if waiting.summary:
                yield SUMMARY, summary_row(self.setting, article_id, 1, waiting.summary, waiting.created_at)
        yield PUBLICATION, self._held(waiting, article_id)

    def _article(self, waiting: Waiting, article_id: int) -> tuple[Any, ...]:
        return article_row(
            self.setting,
            id=article_id,
            url=waiting.url,
            canonical_link=waiting.link,
            title=waiting.title,
            published_at=waiting.published_at,
            summary_text=waiting.summary,
            created_at=waiting.created_at,
            updated_at=waiting.updated_at,
        )

    def _held(self, waiting: Waiting, article_id: int) -> tuple[Any, ...]:
        return PUBLICATION.row(
            {
                "id": waiting.id,
                "channel_id": self.setting.channel_id,
                "article_id": article_id,
                "title": waiting.title,
                "text": waiting.summary,
                "state": Publication.State.HELD.value,
                "reason": HELD_BY_TRANSFER,
                "last_error": waiting.error,
                "created_at": waiting.created_at,
                "updated_at": waiting.updated_at,
            }
        )


@dataclass(frozen=True)
class OldDigest:
    id: int
    period: str
    start: date
    end: date
    content: str
    created_at: datetime
    version: int = 1
    is_current: bool = True


class Digests(FamilyStream[OldDigest]):
    """All versions of a period's digest stay; the newest is the current one."""

    name = "digests"
    main = DIGEST
    targets = (DIGEST,)
    dated = "created_at"
    key_columns = ("period", "created_at")
    old_columns = ("id", "period", "content", "created_at")

    def family_key(self, old: Old) -> str:
        return "{} {}".format(*self._span(old)[:2])

    def _span(self, old: Old) -> tuple[str, date, date]:
        return span_of(text(old, "period"), clocks.moment(old["created_at"], "created_at"), self.setting.zone)

    def understood(self, old: Old) -> OldDigest:
        period, start, end = self._span(old)
        created = clocks.moment(old["created_at"], "created_at")
        return OldDigest(key(old), period, start, end, text(old, "content"), created)

    def united(self, members: list[OldDigest]) -> Iterator[tuple[OldDigest, list[OldDigest]]]:
        by_age = sorted(members, key=lambda each: (each.created_at, each.id))
        for version, each in enumerate(by_age, start=1):
            yield replace(each, version=version, is_current=version == len(by_age)), []

    def today(self, digest: OldDigest) -> New:
        yield (
            DIGEST,
            DIGEST.row(
                {
                    "id": digest.id,
                    "channel_id": self.setting.channel_id,
                    "period": digest.period,
                    "period_start": digest.start,
                    "period_end": digest.end,
                    "version": digest.version,
                    "is_current": digest.is_current,
                    "state": Digest.State.READY.value,
                    "text": digest.content,
                    "created_at": digest.created_at,
                    "updated_at": digest.created_at,
                }
            ),
        )


def span_of(period: str, created_at: datetime, zone: Any) -> tuple[str, date, date]:
    """Kind, first and last day of an old period's name, in the editors' zone.

    A name that says no day (`сутки`, a day and a night) is the day on which the digest was written, in that zone.
    A week is named by its first day, or by its last one where it was written before a week from the first was over.
    """
    written = created_at.astimezone(zone).date()
    match = PERIOD.fullmatch(period.strip())
    if match is None:
        return Digest.Period.DAILY.value, written, written
    try:
        start = date(int(match["year"]), int(match["month"] or 1), int(match["day"] or 1))
    except ValueError:
        raise Unfit(f"period names no day: {period!r}") from None
    kind = match["kind"]
    if kind == "daily":
        return kind, start, start
    if kind == "weekly":
        return (kind, start - SIX_DAYS, start) if written < start + SIX_DAYS else (kind, start, start + SIX_DAYS)
    if kind == "monthly":
        start = start.replace(day=1)
        return kind, start, start.replace(day=monthrange(start.year, start.month)[1])
    return kind, date(start.year, 1, 1), date(start.year, 12, 31)
