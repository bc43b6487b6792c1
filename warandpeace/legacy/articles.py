"""Articles: two clocks, merging by canonical link, error strings that are no summaries, and what had been posted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import reduce
from hashlib import sha256
from typing import Any, NamedTuple

from articles.models import Article, Summary
from publishing.models import Publication
from warandpeace.legacy import clocks
from warandpeace.legacy.links import link_of
from warandpeace.legacy.stream import FamilyStream, New, Setting
from warandpeace.legacy.values import Old, key, text
from warandpeace.transfer.encoding import Utf8
from warandpeace.transfer.errors import Unfit
from warandpeace.transfer.tables import Table

# The target finds by itself what an article is a copy of, and when to look for that: the old file knows nothing of it.
ARTICLE = Table(Article, without=("story_id", "duplicate_of_id", "compare_at"))
SUMMARY, PUBLICATION = Table(Summary), Table(Publication)

# What the old bot stored in the place of a summary when the language model had failed.
ERROR_PREFIXES = ("Ошибка при получении", "Ошибка API", "Ошибка:", "Error:", "Не удалось получить резюме")
SUMMARISED, STORED = Article.Status.SUMMARISED.value, Article.Status.STORED.value
TO_THE_DAY, TO_THE_MINUTE = Article.Precision.DAY, Article.Precision.MINUTE
LEGACY = "legacy"
CONTENT_TYPE = "content_type"
BACKFILL_NOTES = {"failed": "backfill: failed", "skipped": "backfill: skipped"}


def summary_of(old: Old) -> str:
    """The summary, or nothing where an error stands in its place. Raises Unfit."""
    summary = text(old, "summary_text").strip()
    return "" if summary.startswith(ERROR_PREFIXES) else summary


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

    def rows(self, where: str, parameters: list[Any]) -> Iterator[Old]:
        for old in super().rows(where, parameters):
            if old.pop(CONTENT_TYPE) == "text" and isinstance(old["content"], bytes):
                old["content"] = Utf8(old["content"])
            yield old

    def passed_over(self) -> int:
        """With an early leader its whole family is early: an article is as old as the oldest of its rows."""
        later_twins = self.setting.families.twins_elsewhere(self.name, self.early, self.setting.scope.size)
        return super().passed_over() + later_twins

    def family_key(self, old: Old) -> str:
        return link_of(old["canonical_link"], old["url"])

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
        if article.summary and (version := self._version_of_summary(article)):
            yield SUMMARY, summary_row(self.setting, article.id, version, article.summary, article.updated_at)
        if article.was_posted:
            yield PUBLICATION, self._posted(article)

    def settled(self, family: list[Old], taken: list[OldArticle]) -> None:
        """Streams that come later look for articles by link: tell them what is not there, or under another number."""
        survivor = taken[0].id if taken else None
        self.setting.families.settle(self.name, [old["rowid"] for old in family], survivor, family[0]["key"])

    def _version_of_summary(self, article: OldArticle) -> int:
        """The number of the version `articles` holds; 0 if it is one of those in the `summaries` table."""
        numbers = self.setting.families.members("summaries", str(article.id))
        if not numbers:
            return 1
        places = ", ".join("?" * len(numbers))
        sql = f"SELECT summary_text FROM summaries WHERE rowid IN ({places})"
        texts = [row[0] for row in self.setting.snapshot.rows(sql, numbers)]
        known = {each.strip() for each in texts if isinstance(each, str)}
        return 0 if article.summary in known else len(numbers) + 1

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
            content_hash=sha256(article.content).hexdigest() if article.content else "",
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
                "state": Publication.State.PUBLISHED.value,
                "reason": "Posted by the old bot.",
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


def article_row(setting: Setting, **values: Any) -> tuple[Any, ...]:
    """An article at rest: with a summary or stored, and nothing automatic left to do for it."""
    status = SUMMARISED if values["summary_text"] else STORED
    return ARTICLE.row({"source_id": setting.source_id, "language": "ru", "status": status, **values})


def summary_row(setting: Setting, article_id: int, version: int, summary: str, created_at: datetime) -> tuple[Any, ...]:
    """The summary an article carried: it has no number of its own."""
    return SUMMARY.row(
        {
            "id": setting.numbering["summaries"] + article_id,
            "article_id": article_id,
            "version": version,
            "text": summary,
            "provider": LEGACY,
            "created_at": created_at,
        }
    )
