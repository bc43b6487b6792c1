"""What the newsroom knows of the outside world: sources, their articles, and what could not be read."""

from articles.models.article import Article, Summary
from articles.models.backfill import ArchiveDay, BackfillRun
from articles.models.changed_text import ChangedText
from articles.models.dead_letter import DeadLetter
from articles.models.forecast import ForecastNote
from articles.models.media import Media, Picture
from articles.models.prompt import Prompt
from articles.models.server_turn import ServerTurn
from articles.models.signature import Signature
from articles.models.source import Source
from articles.models.story import Story, StoryDecision
from articles.models.tag import ArticleTag, RefusedTag, Retagging, Tag, TagRule

__all__ = [
    "ArchiveDay",
    "Article",
    "ArticleTag",
    "BackfillRun",
    "ChangedText",
    "DeadLetter",
    "ForecastNote",
    "Media",
    "Picture",
    "Prompt",
    "RefusedTag",
    "Retagging",
    "ServerTurn",
    "Signature",
    "Source",
    "Story",
    "StoryDecision",
    "Summary",
    "Tag",
    "TagRule",
]
