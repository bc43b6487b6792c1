"""Sources, articles and what went wrong with them, as operators and editors see them."""

from articles.admin.article import ArticleAdmin
from articles.admin.backfill import BackfillRunAdmin
from articles.admin.dead_letter import DeadLetterAdmin
from articles.admin.source import SourceAdmin

__all__ = ["ArticleAdmin", "BackfillRunAdmin", "DeadLetterAdmin", "SourceAdmin"]
