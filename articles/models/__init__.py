"""What the newsroom knows of the outside world: sources, their articles, and what could not be read."""

from articles.models.article import Article, Summary
from articles.models.backfill import ArchiveDay, BackfillRun
from articles.models.dead_letter import DeadLetter
from articles.models.forecast import ForecastNote
from articles.models.prompt import Prompt
from articles.models.source import Source

__all__ = ["ArchiveDay", "Article", "BackfillRun", "DeadLetter", "ForecastNote", "Prompt", "Source", "Summary"]
