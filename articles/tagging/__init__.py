"""Tags: which ones the rules and the sources' topics give an article, and what editors have corrected."""

from articles.tagging.editing import correct
from articles.tagging.giving import Change, settle, wanted
from articles.tagging.rules import Text, compiled

__all__ = ["Change", "Text", "compiled", "correct", "settle", "wanted"]
