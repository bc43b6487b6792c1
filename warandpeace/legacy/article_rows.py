"""What an old article is in today's tables: the article, its summary, and a publication where it had been posted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from articles.models import Article, Summary
from publishing.models import Publication
from warandpeace.legacy.stream import Setting
from warandpeace.legacy.values import Old, text
from warandpeace.transfer.tables import Table

# The target finds by itself what an article is a copy of, and when to look for that: the old file knows nothing of it.
ARTICLE = Table(Article, without=("story_id", "duplicate_of_id", "compare_at"), long="content")
SUMMARY, PUBLICATION = Table(Summary), Table(Publication)

# What the old bot stored in the place of a summary when the language model had failed.
ERROR_PREFIXES = ("Ошибка при получении", "Ошибка API", "Ошибка:", "Error:", "Не удалось получить резюме")
SUMMARISED, STORED = Article.Status.SUMMARISED.value, Article.Status.STORED.value
TO_THE_DAY, TO_THE_MINUTE = Article.Precision.DAY, Article.Precision.MINUTE
LEGACY = "legacy"
RUSSIAN = "ru"
BACKFILL_NOTES = {"failed": "backfill: failed", "skipped": "backfill: skipped"}
POSTED = {"state": Publication.State.PUBLISHED.value, "reason": "Posted by the old bot."}


def summary_of(old: Old) -> str:
    """The summary, or nothing where an error stands in its place. Raises Unfit."""
    return sound_summary(text(old, "summary_text"))


def sound_summary(written: str) -> str:
    """What was written in the place of a summary, if it is one."""
    summary = written.strip()
    return "" if summary.startswith(ERROR_PREFIXES) else summary


def article_row(setting: Setting, **values: Any) -> tuple[Any, ...]:
    """An article at rest: with a summary or stored, and nothing automatic left to do for it."""
    status = SUMMARISED if values["summary_text"] else STORED
    return ARTICLE.row({"source_id": setting.source_id, "language": RUSSIAN, "status": status, **values})


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
