"""An article put to a language model: what it is asked, whether the answer is usable, and what it says unsupported."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from articles.factcheck.checking import Report
from articles.factcheck.checking import check as check_facts
from articles.factcheck.form import EXCUSE, MAX_CHARS, MIN_CHARS, smuggled
from articles.models import Article, Prompt
from usage import llm
from usage.languages import language_of

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class SummaryError(Exception):
    """A call that was answered but gave no summary, or attempts that never came to an end. Its text is for editors.

    SummaryError
      ├ UnusableSummary   the answer is empty, too long, garbled, an excuse, or brings addresses the source lacks
      └ CutShort          each attempt was killed before its outcome was written
    """

    code = "summary_error"


class UnusableSummary(SummaryError):
    code = "unusable_summary"


class CutShort(SummaryError):
    code = "cut_short"


@dataclass(frozen=True, slots=True)
class Answer:
    """A usable summary: its text, the prompt and the call it came from, and the findings of its check as JSON."""

    text: str
    prompt: str
    completion: llm.Completion
    findings: list[dict[str, Any]]


def ask(article: Article, prompt: Prompt, *, purpose: str, provider: str = "") -> Answer:
    """The summary of an article's text by a prompt, from one provider if named. Raises LlmError or UnusableSummary."""
    completion = llm.complete(
        request_of(article, prompt), purpose=purpose, subject=f"article:{article.pk}", provider=provider
    )
    text = usable(completion.text, source=f"{article.title}\n{text_of(article)}", max_chars=MAX_CHARS)
    return Answer(text, prompt.label, completion, [finding.as_json() for finding in check(article, text).findings])


def request_of(article: Article, prompt: Prompt) -> llm.Prompt:
    """What a language model is asked for an article."""
    is_shorter = prompt.kind == Prompt.Kind.SHORTER
    return llm.Prompt(
        instructions=prompt.filled(min_chars=MIN_CHARS, max_chars=MAX_CHARS),
        title=article.title,
        text=text_of(article),
        language=language(article),
        max_chars=MIN_CHARS if is_shorter else MAX_CHARS,
        version=prompt.label,
    )


def check(article: Article, summary: str) -> Report:
    """What a summary says that the article's text does not support."""
    published = timezone.localdate(article.published_at)
    return check_facts(summary, title=article.title, text=text_of(article), published=published)


def text_of(article: Article) -> str:
    """What there is to summarise: the article's text, or its lead where a feed brings no more."""
    return article.content or article.lead


def language(article: Article) -> str:
    """The language of the article's text as a two-letter code; empty where it cannot be told."""
    return article.language or article.source.language or language_of(text_of(article))


def usable(answer: str, *, source: str, max_chars: int) -> str:
    """The answer without surrounding space. Raises UnusableSummary if it is no summary of `source`."""
    text = answer.strip()
    if not text:
        raise UnusableSummary(_("The answer is empty."))
    if len(text) > max_chars:
        counted = {"length": len(text), "limit": max_chars}
        raise UnusableSummary(_("The answer has %(length)d characters; %(limit)d are the limit.") % counted)
    if UNPRINTABLE.search(text):
        raise UnusableSummary(_("The answer contains control characters."))
    # An article may well begin like this itself; then it is no excuse.
    if (excuse := EXCUSE.match(text)) and excuse.group() not in source:
        raise UnusableSummary(_("The answer is an excuse: %(answer)s") % {"answer": text[:80]})
    # Whoever writes an article may try to make the model advertise for them.
    if foreign := smuggled(text, source):
        raise UnusableSummary(
            _("The answer brings an address that the article lacks: %(address)s") % {"address": foreign[0].group()[:80]}
        )
    return text
