"""Old articles by the column: the same rows as one by one (`articles.py`), for those in which nothing is odd."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import compress
from typing import Any

from warandpeace.legacy import clocks
from warandpeace.legacy.article_rows import (
    BACKFILL_NOTES,
    STORED,
    SUMMARISED,
    TO_THE_DAY,
    TO_THE_MINUTE,
    sound_summary,
)
from warandpeace.legacy.values import Columns, demand, keys, texts
from warandpeace.transfer.encoding import Utf8

TEXT, NOTHING, NO_TEXT = "text", "null", Utf8()


@dataclass(frozen=True)
class UsualArticles:
    """What many old rows say, understood: each a list of equal length. Times are UTC."""

    ids: Sequence[int]
    urls: Sequence[str]
    links: Sequence[str]
    titles: Sequence[str]
    published_at: Sequence[datetime]
    precisions: Sequence[str]
    contents: Sequence[Utf8]
    summaries: Sequence[str]
    created_at: Sequence[datetime]
    updated_at: Sequence[datetime]
    notes: Sequence[str]

    @classmethod
    def understood(cls, rows: Sequence[Sequence[Any]], links: Mapping[int, str], zone: tzinfo) -> UsualArticles:
        """Rows with the columns of `Articles`. Raises Unfit if there is anything odd: then they go one by one."""
        (numbers, ids, urls, _, titles, published, contents, summaries, created, updated, backfill, kinds) = zip(
            *rows, strict=True
        )
        demand(ids == numbers and set(map(type, titles)) == {str} and all(titles) and set(kinds) <= {TEXT, NOTHING})
        published_at = [clocks.moment(each, "published_at", zone) for each in published]
        created_at = clocks.moments_or(created, "created_at", published_at)
        return cls(
            ids=keys(ids),
            urls=[url or links[number] for number, url in zip(numbers, texts(urls), strict=True)],
            links=[links[number] for number in numbers],
            titles=titles,
            published_at=published_at,
            precisions=[TO_THE_DAY if clocks.has_only_a_day(each) else TO_THE_MINUTE for each in published],
            contents=[Utf8(content) if content else NO_TEXT for content in contents],
            summaries=list(map(sound_summary, texts(summaries))),
            created_at=created_at,
            updated_at=created_at if updated == created else clocks.moments_or(updated, "updated_at", created_at),
            notes=[BACKFILL_NOTES.get(each, "") for each in backfill],
        )

    def articles(self) -> Columns:
        return {
            "id": self.ids,
            "url": self.urls,
            "canonical_link": self.links,
            "title": self.titles,
            "published_at": self.published_at,
            "published_precision": self.precisions,
            "content": self.contents,
            "content_hash": [content.sha256.hex() if content else "" for content in self.contents],
            "summary_text": self.summaries,
            "status": [SUMMARISED if summary else STORED for summary in self.summaries],
            "last_error": self.notes,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }

    def versions(self, numbers: Sequence[int], offset: int) -> Columns:
        """The summaries' first versions; a number of 0 is none."""
        pick = _picker(numbers)
        ids = pick(self.ids)
        return {
            "id": [offset + number for number in ids],
            "article_id": ids,
            "version": pick(numbers),
            "text": pick(self.summaries),
            "created_at": pick(self.updated_at),
        }

    def posted(self, offset: int) -> Columns:
        """Publications of what had been posted: it has a summary and no content."""
        chosen = [bool(summary) and not content for summary, content in zip(self.summaries, self.contents, strict=True)]
        pick = _picker(chosen)
        ids, moments = pick(self.ids), pick(self.created_at)
        return {
            "id": [offset + number for number in ids],
            "article_id": ids,
            "title": pick(self.titles),
            "text": pick(self.summaries),
            "published_at": moments,
            "created_at": moments,
            "updated_at": moments,
        }


def _picker(chosen: Collection[Any]) -> Callable[[Sequence[Any]], list[Any]]:
    """What takes those of a column that are chosen."""
    return lambda column: list(compress(column, chosen))
