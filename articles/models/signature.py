"""What is kept of an article's text so that it is found again among a million others: its signature."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext_lazy as _

from articles.models.article import Article


class BandsField(models.Field):  # type: ignore[type-arg]  # no generic at run time
    """Whole numbers of 32 bits with a sign, each the name of a band that texts of a kind share.

    PostgreSQL keeps them as an array, which a GIN index finds by any of its members; SQLite as four bytes each, which
    triggers spread over a table of their own. Both are made by the migration and asked by `articles.duplicates.index`.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "integer[]" if connection.vendor == "postgresql" else "blob"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        return list(value) if connection.vendor == "postgresql" else packed(value)

    def from_db_value(self, value: Any, _expression: Any, _connection: BaseDatabaseWrapper) -> list[int]:
        return value if isinstance(value, list) else list(struct.unpack(f">{len(value) // 4}i", value))


def packed(bands: Sequence[int]) -> bytes:
    return struct.pack(f">{len(bands)}i", *bands)


class Signature(models.Model):
    """An article's text as MinHash sees it. It is there once the article has been compared with all others.

    A text that says too little to be compared has an empty one, so that it isn't looked at again and again.
    """

    article = models.OneToOneField(
        Article, on_delete=models.CASCADE, primary_key=True, related_name="signature", verbose_name=_("article")
    )
    version = models.PositiveIntegerField(_("way of signing"), help_text=_("Signatures of two ways say nothing."))
    sketch = models.BinaryField(_("sketch"), help_text=_("A byte of each MinHash: how much two texts share, about."))
    bands = BandsField(_("bands"), help_text=_("Texts that share one are candidates."))

    class Meta:
        verbose_name = _("signature")
        verbose_name_plural = _("signatures")

    def __str__(self) -> str:
        return str(self.article_id)
