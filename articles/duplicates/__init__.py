"""Copies among articles: exact ones, reprints and slight revisions, whoever brought them and however long ago.

Each text is kept as a signature whose bands are indexed; what shares a band is compared by sketch, then by the
three-word runs of the texts themselves. Copies of one article are a story.
"""

from articles.duplicates.placing import Placed, place_due
from articles.duplicates.rebuilding import rebuild

__all__ = ["Placed", "place_due", "rebuild"]
