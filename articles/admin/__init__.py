"""Sources, articles and what went wrong with them, as operators and editors see them."""

from articles.admin.article import ArticleAdmin
from articles.admin.backfill import BackfillRunAdmin
from articles.admin.dead_letter import DeadLetterAdmin
from articles.admin.forecast import ForecastNoteAdmin
from articles.admin.picture import PictureAdmin
from articles.admin.prompt import PromptAdmin
from articles.admin.source import SourceAdmin
from articles.admin.story import StoryAdmin
from articles.admin.summary import SummaryAdmin
from articles.admin.tag import TagAdmin, TagRuleAdmin

__all__ = [
    "ArticleAdmin",
    "BackfillRunAdmin",
    "DeadLetterAdmin",
    "ForecastNoteAdmin",
    "PictureAdmin",
    "PromptAdmin",
    "SourceAdmin",
    "StoryAdmin",
    "SummaryAdmin",
    "TagAdmin",
    "TagRuleAdmin",
]
