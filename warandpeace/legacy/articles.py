"""Articles: two clocks, merging by canonical link, error strings that are no summaries, and what had been posted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import reduce
from typing import Any, NamedTuple

from warandpeace.legacy import clocks
from warandpeace.legacy.article_columns import UsualArticles
from warandpeace.legacy.article_rows import (
    ARTICLE,
    BACKFILL_NOTES,
    LEGACY,
    POSTED,
    PUBLICATION,
    RUSSIAN,
    SUMMARY,
    TO_THE_DAY,
    TO_THE_MINUTE,
    article_row,
    summary_of,
    summary_row,
)
from warandpeace.legacy.family_stream import FamilyStream
from warandpeace.legacy.links import link_of
from warandpeace.legacy.stream import CELL, New, Setting
from warandpeace.legacy.values import Old, key, text
from warandpeace.transfer.blocks import Block
from warandpeace.transfer.encoding import Utf8
from warandpeace.transfer.errors import Unfit

CONTENT_TYPE = "content_type"


class OldArticle(NamedTuple):
    """What an old row says, understood. Times are UTC."""

    id: int
    url: str
    link: str
    title: str
    published_at: datetime
    precision: str
    content: Utf8
    summary: str
    created_at: datetime
    updated_at: datetime
    note: str
    was_posted: bool

    def merged_with(self, other: OldArticle) -> OldArticle:
        """Both as one: the earliest times, the longer text, a summary over none."""
        first = min(self, other, key=lambda each: each.published_at)
        return self._replace(
            published_at=first.published_at,
            precision=first.precision,
            created_at=min(self.created_at, other.created_at),
            updated_at=max(self.updated_at, other.updated_at),
            content=max(self.content, other.content, key=len),
            summary=self.summary or other.summary,
            note=self.note or other.note,
            was_posted=self.was_posted or other.was_posted,
        )


class Articles(FamilyStream[OldArticle]):
    """An article, its summary's first version, and a publication where the old bot had posted it."""

    name = "articles"
    main = ARTICLE
    targets = (ARTICLE, SUMMARY, PUBLICATION)
    dated = day_in = "published_at"
    key_columns = ("canonical_link", "url")
    old_columns = (
        "id",
        "url",
        "canonical_link",
        "title",
        "published_at",
        "content",
        "summary_text",
        "created_at",
        "updated_at",
        "backfill_status",
        CONTENT_TYPE,
    )

    def __init__(self, setting: Setting) -> None:
        self.has_content = "content" in setting.snapshot.columns(self.name)
        super().__init__(setting)

    def expression(self, column: str, *, is_there: bool) -> str:
        """The text comes as its bytes, with a word on whether it was text."""
        if column == "content" and is_there:
            return "CASE typeof(content) WHEN 'text' THEN CAST(content AS BLOB) ELSE content END"
        if column == CONTENT_TYPE:
            return "typeof(content)" if self.has_content else "'null'"
        return super().expression(column, is_there=is_there)

    def old(self, values: tuple[Any, ...]) -> Old:
        old = super().old(values)
        if old.pop(CONTENT_TYPE) == "text" and isinstance(old["content"], bytes):
            old["content"] = Utf8(old["content"])
        return old

    def passed_over(self) -> int:
        """With an early leader its whole family is early: an article is as old as the oldest of its rows."""
        later_twins = self.setting.families.twins_elsewhere(self.name, self.early, self.setting.scope.size)
        return super().passed_over() + later_twins

    def family_key(self, old: Old) -> str:
        return link_of(old["canonical_link"], old["url"])

    def one_by_one(self, block: Block, low: int, high: int, alone: dict[int, str]) -> Iterator[Old]:
        """Those that are alone and quite usual go by the column: that is several times as fast."""
        if block.is_careful or self._corrections:
            return super().one_by_one(block, low, high, alone)
        usual, others = list[tuple[Any, ...]](), list[tuple[Any, ...]]()
        for values in self.setting.snapshot.rows(f"{self.select} {CELL}", [low, high]):
            (usual if values[0] in alone else others).append(values)
        if usual:
            self._take_usual(block, UsualArticles.understood(usual, alone, self.setting.zone))
        return map(self.old, others)

    def _take_usual(self, block: Block, usual: UsualArticles) -> None:
        setting = self.setting
        block.read += len(usual.ids)
        block.transferred += len(usual.ids)
        block.take_columns(ARTICLE, usual.articles(), {"source_id": setting.source_id, "language": RUSSIAN})
        summarised = setting.families.known("summaries", map(str, usual.ids))
        versions = [
            self._version_of_summary(number, summary) if summary and str(number) in summarised else int(bool(summary))
            for number, summary in zip(usual.ids, usual.summaries, strict=True)
        ]
        block.take_columns(SUMMARY, usual.versions(versions, setting.numbering["summaries"]), {"provider": LEGACY})
        posted = {"channel_id": setting.channel_id, **POSTED}
        block.take_columns(PUBLICATION, usual.posted(setting.numbering["publications"]), posted)

    def understood(self, old: Old) -> OldArticle:
        published = clocks.moment(old["published_at"], "published_at", self.setting.zone)
        content, summary = content_of(old), summary_of(old)
        created = clocks.moment_or(old["created_at"], "created_at", published)
        is_untouched = old["updated_at"] == old["created_at"]
        updated = created if is_untouched else clocks.moment_or(old["updated_at"], "updated_at", created)
        title = text(old, "title")
        if not title:
            raise Unfit("title is empty")
        return OldArticle(
            id=key(old),
            url=text(old, "url"),
            link=old["key"],
            title=title,
            published_at=published,
            precision=TO_THE_DAY if clocks.has_only_a_day(old["published_at"]) else TO_THE_MINUTE,
            content=content,
            summary=summary,
            created_at=created,
            updated_at=updated,
            note=BACKFILL_NOTES.get(old["backfill_status"] or "", ""),
            was_posted=bool(summary) and not content,
        )

    def united(self, members: list[OldArticle]) -> Iterator[tuple[OldArticle, list[OldArticle]]]:
        if members:
            yield reduce(OldArticle.merged_with, members), members[1:]

    def today(self, article: OldArticle) -> New:
        yield ARTICLE, self._article(article)
        if article.summary and (version := self._version_of_summary(article.id, article.summary)):
            yield SUMMARY, summary_row(self.setting, article.id, version, article.summary, article.updated_at)
        if article.was_posted:
            yield PUBLICATION, self._posted(article)

    def settled(self, family: list[Old], taken: list[OldArticle]) -> None:
        """Streams that come later look for articles by link: tell them what is not there, or under another number."""
        survivor = taken[0].id if taken else None
        self.setting.families.settle(self.name, [old["rowid"] for old in family], survivor, family[0]["key"])

    def _version_of_summary(self, article_id: int, summary: str) -> int:
        """The number of the version `articles` holds; 0 if it is one of those in the `summaries` table."""
        numbers = self.setting.families.members("summaries", str(article_id))
        if not numbers:
            return 1
        places = ", ".join("?" * len(numbers))
        sql = f"SELECT summary_text FROM summaries WHERE rowid IN ({places})"
        texts = [row[0] for row in self.setting.snapshot.rows(sql, numbers)]
        known = {each.strip() for each in texts if isinstance(each, str)}
        return 0 if summary in known else len(numbers) + 1

    def _article(self, article: OldArticle) -> tuple[Any, ...]:
        return article_row(
            self.setting,
            id=article.id,
            url=article.url or article.link,
            canonical_link=article.link,
            title=article.title,
            published_at=article.published_at,
            published_precision=article.precision,
            content=article.content or "",
            content_hash=article.content.sha256.hex() if article.content else "",
            summary_text=article.summary,
            last_error=article.note,
            created_at=article.created_at,
            updated_at=article.updated_at,
        )

    def _posted(self, article: OldArticle) -> tuple[Any, ...]:
        return PUBLICATION.row(
            {
                "id": self.setting.numbering["publications"] + article.id,
                "channel_id": self.setting.channel_id,
                "article_id": article.id,
                "title": article.title,
                "text": article.summary,
                **POSTED,
                "published_at": article.created_at,
                "created_at": article.created_at,
                "updated_at": article.created_at,
            }
        )


def content_of(old: Old) -> Utf8:
    """The text in its bytes, of which `articles.storing.fingerprint` is the SHA-256. Raises Unfit for a BLOB."""
    value = old["content"]
    if isinstance(value, Utf8):
        return value
    return Utf8(text(old, "content").encode("utf-8", "surrogateescape"))
