"""Articles that say the same in the same words: which of them is the main one, and what editors have said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from articles.models.article import Article


class Story(models.Model):
    """Articles whose texts are copies of one of them.

    Which articles belong here is written in them: `Article.story`. The main one is the one of them that is a
    duplicate of none; all others are duplicates of it, so that a copy of a copy of a copy doesn't drift away.
    """

    created_at = models.DateTimeField(_("found"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("story")
        verbose_name_plural = _("stories")
        ordering = ["-id"]

    def __str__(self) -> str:
        main = self.main
        return main.title if main else f"{self._meta.verbose_name} {self.pk}"

    @property
    def main(self) -> Article | None:
        """The article the others are copies of; None while somebody is changing the story."""
        return self.articles.filter(duplicate_of=None).first()


class StoryDecision(models.Model):
    """What an editor said of an article: one row each time, never changed.

    An article of which an editor has said something is never moved by the machine again.
    """

    class Verb(models.TextChoices):
        MERGED = "merged", _("belongs to the story")
        SPLIT = "split", _("is no copy")
        MAIN = "main", _("is the main one")

    article = models.ForeignKey(
        "articles.Article", on_delete=models.CASCADE, related_name="story_decisions", verbose_name=_("article")
    )
    verb = models.CharField(_("decision"), max_length=10, choices=Verb)
    main = models.ForeignKey(
        "articles.Article",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("main article"),
        help_text=_("Of the story that was spoken of."),
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
        help_text=_("Empty: by a command."),
    )
    decided_at = models.DateTimeField(_("decided"), default=timezone.now)

    class Meta:
        verbose_name = _("decision about a story")
        verbose_name_plural = _("decisions about stories")
        ordering = ["-decided_at", "-id"]

    def __str__(self) -> str:
        return f"{self.article_id} {self.verb}"
