"""What a publication says that its source does not, and the sentence of the source that each of its own leans on."""

from __future__ import annotations

from typing import Any

from articles import asking
from articles.admin.summary import MEANINGS, SENTENCES_SHOWN, marked
from publishing.models import Publication


def context(publication: Publication) -> dict[str, Any]:
    """The text with marks, the findings, and the source in sentences; nothing for a digest or without a source."""
    article = publication.article
    if article is None or not asking.text_of(article):
        return {}
    report = asking.check(article, publication.final_text)
    leaned_on = {link.source for link in report.links}
    return {
        "is_checked": True,
        "checked_text": marked(publication.final_text, report),
        "findings": [(one.text or "—", MEANINGS[one.kind], one.bars) for one in report.findings],
        "source_sentences": [
            (number, text, number in leaned_on) for number, text in enumerate(report.source[:SENTENCES_SHOWN])
        ],
    }
