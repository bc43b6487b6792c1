"""The text of an article on a page that nobody has described, told from what articles look like.

Pure, and without Django: it runs where strangers' documents are read, within limits.
"""

from __future__ import annotations

from articles import text

# It takes a fifth of a second to import: only who reads pages does so.
NEEDS = "trafilatura"


def find(html: str, url: str) -> str:
    """The article's paragraphs, apart by blank lines; empty if there is none or the page is too damaged."""
    import trafilatura  # noqa: PLC0415

    try:
        found = trafilatura.extract(html, url=url, include_comments=False, include_tables=False, deduplicate=False)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return ""
    return text.clean((found or "").replace("\n", "\n\n"))
