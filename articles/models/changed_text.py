"""Articles whose texts have changed since they were last indexed and tagged: a queue that the database keeps."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ChangedText(models.Model):
    """One change of an article's text, written by triggers of the database, whoever changes it and however.

    Rows are only ever added and, once the change has been followed, deleted: a change that comes while an older one is
    being followed has a row of its own and is not lost with the older one's.
    """

    article_id = models.BigIntegerField(_("article"))

    class Meta:
        verbose_name = _("changed text")
        verbose_name_plural = _("changed texts")
        ordering = ["pk"]

    def __str__(self) -> str:
        return str(self.article_id)
